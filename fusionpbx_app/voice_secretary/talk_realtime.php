<?php

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";

//check permissions
	if (!permission_exists('voice_secretary_talk')) {
		echo "access denied";
		exit;
	}

//add multi-lingual support
	$language = new text;
	$text = $language->get();

	$secretaries = new voice_secretary_realtime(['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']]);
	$uuid = is_string($_GET['id'] ?? null) ? $_GET['id'] : '';
	$row = $secretaries->find($uuid);
	if (!$row) {
		message::add($text['message-no_such_secretary'], 'negative');
		header('Location: secretaries.php');
		exit;
	}
	$extensions = $secretaries->destinations()['extensions'] ?? [];

//create the token of what the scripts ask
	$object = new token;
	$ask_token = $object->create('/app/voice_secretary/realtime_ask.php');

//include the header
	$document['title'] = $text['title-talk'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";

//show the content
	echo "<div class='action_bar' id='action_bar'>\n	<div class='heading'><b>".escape($text['title-talk'].': '.$row['extension'].' '.$row['secretary_name'])."</b></div>\n	<div class='actions'>\n";
	echo button::create(['type' => 'button', 'label' => $text['button-back'], 'icon' => $settings->get('theme', 'button_icon_back'), 'id' => 'btn_back', 'link' => 'secretaries.php']);
	echo "	</div>\n	<div style='clear: both;'></div>\n</div>\n".escape($text['title_description-talk'])."\n<br /><br />\n";
	echo "<div class='vs_notice' id='check' role='status' hidden></div>\n";

	echo "<div class='card'>\n<h3>".escape($text['header-talk_here'])."</h3>\n";
	echo "<p>".button::create(['type' => 'button', 'label' => $text['button-begin'], 'icon' => 'microphone', 'id' => 'btn_begin']).' '.button::create(['type' => 'button', 'label' => $text['button-hang_up'], 'icon' => 'phone-slash', 'id' => 'btn_end']);
	echo " <label class='vs_about'>".escape($text['label-level'])." <meter id='talk_level' min='0' max='1' low='0.02' high='0.9' optimum='0.3' value='0'></meter></label></p>\n";
	echo "<p><b id='talk_state' role='status'></b> <span id='talk_latency' class='vs_about'></span></p>\n";
	echo "<div class='vs_turns' id='talk_turns' aria-live='polite'></div>\n<p>";
	foreach (str_split('123456789*0#') as $digit) {
		echo "<button type='button' class='btn btn-default' data-digit='".$digit."' aria-label='".escape($text['label-key_pressed'].' '.$digit)."'>".$digit.'</button> ';
	}
	echo "</p>\n</div>\n<br>\n";

	echo "<div class='card'>\n<h3>".escape($text['header-talk_simulated'])."</h3>\n<p class='vs_about'>".escape($text['description-talk_simulated'])."</p>\n";
	echo '<p>'.button::create(['type' => 'button', 'label' => $text['button-simulate'], 'icon' => 'robot', 'id' => 'btn_simulate'])." <span id='simulated' role='status'></span></p>\n</div>\n<br>\n";

	echo "<div class='card'>\n<h3>".escape($text['header-talk_telephone'])."</h3>\n<p><label>".escape($text['label-ring'])." <select class='formfld' id='ring'>";
	foreach ($extensions as $number => $name) {
		echo "<option value='".escape((string) $number)."'>".escape(trim($number.' '.$name)).'</option>';
	}
	echo '</select></label> '.button::create(['type' => 'button', 'label' => $text['button-ring'], 'icon' => 'phone', 'id' => 'btn_ring', 'disabled' => !$extensions])." <span id='rung' role='status'></span></p>\n</div>\n";

	$say = [];
	foreach (array_keys($text) as $key) {
		if (strpos($key, 'talk-') === 0) {
			$say[substr($key, 5)] = $text[$key];
		}
	}
	$say += ['agent' => $text['label-agent'], 'caller' => $text['label-caller'], 'interrupted' => $text['label-interrupted'], 'unclear' => $text['label-not_understood'],
		'network' => $text['label-part_network'], 'model' => $text['label-part_model'], 'buffer' => $text['label-part_buffer'], 'playout' => $text['label-part_playout']];
	echo "<script>window.voice_secretary = ".json_encode(['ask' => 'realtime_ask.php', 'token_name' => $ask_token['name'], 'token' => $ask_token['hash'], 'id' => $uuid, 'say' => $say], JSON_HEX_TAG | JSON_HEX_AMP)."</script>\n";
	echo "<script src='resources/javascript/ask.js'></script><script src='resources/javascript/test_call.js'></script>\n<script src='resources/javascript/talk.js'></script>\n";

//include the footer
	require_once "resources/footer.php";

?>
