<?php

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";

//check permissions
	if (!permission_exists('voice_secretary_conversation_erase')) {
		echo "access denied";
		exit;
	}

//add multi-lingual support
	$language = new text;
	$text = $language->get();

	$api = new voice_secretary_api($database, (string) $_SESSION['domain_uuid']);
	$words = new voice_secretary_words($text);
	$given = $_POST['caller'] ?? $_GET['caller'] ?? '';
	$caller = is_string($given) ? trim($given) : '';
	$error = $problem = '';
	$erased = null;

//process the form
	if (count($_POST) > 0) {
		$token = new token;
		if (!$token->validate($_SERVER['PHP_SELF'])) {
			message::add($text['message-invalid_token'], 'negative');
			header('Location: erase_caller_realtime.php');
			exit;
		}
		if (preg_match('/^\+?[0-9*#() .\/-]{3,64}$/', $caller) !== 1 || !preg_match('/\d{3}/', preg_replace('/\D/', '', $caller))) {
			$error = $text['message-bad_caller'];
		}
		elseif (($_POST['sure'] ?? '') !== 'true') {
			$error = $text['message-not_sure'];
		}
		else {
			$answer = $api->domain('POST', '/callers/erase', ['caller' => $caller]);
			$erased = $answer->ok() ? $answer->data : null;
			$problem = $answer->ok() ? '' : $words->problem($answer, $api->url()).' '.$text['message-nothing_erased'];
		}
	}

//create the token
	$object = new token;
	$token = $object->create($_SERVER['PHP_SELF']);

//show the header
	$document['title'] = $text['title-erase_caller'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";

//show the content
	echo "<form name='frm' id='frm' method='post' autocomplete='off'>\n<div class='action_bar' id='action_bar'>\n	<div class='heading'><b>".escape($text['title-erase_caller'])."</b></div>\n	<div class='actions'>\n";
	echo button::create(['type' => 'button', 'label' => $text['button-back'], 'icon' => $settings->get('theme', 'button_icon_back'), 'id' => 'btn_back', 'style' => 'margin-right: 15px;', 'link' => 'conversations_realtime.php']);
	echo button::create(['type' => 'submit', 'label' => $text['button-erase'], 'icon' => $settings->get('theme', 'button_icon_delete'), 'id' => 'btn_erase', 'name' => 'action', 'value' => 'erase']);
	echo "	</div>\n	<div style='clear: both;'></div>\n</div>\n".escape($text['title_description-erase_caller'])."\n<br /><br />\n";
	if ($problem !== '') {
		echo "<div class='vs_notice vs_bad' role='alert' id='unsaved'>".escape($problem)."</div>\n";
	}
	if ($erased !== null) {
		$gone = [];
		foreach (is_array($erased['removed'] ?? null) ? $erased['removed'] : [] as $kind => $count) {
			if ((int) $count > 0) {
				$gone[] = voice_secretary_words::figure($text, (int) $count).' '.($text['label-erased_'.$kind] ?? $kind);
			}
		}
		echo "<div class='vs_notice vs_good' role='status' id='erased'>".escape($gone ? $text['message-erased'].' '.implode(', ', $gone).'.' : $text['message-nobody_erased']);
		echo (int) ($erased['going_on'] ?? 0) > 0 ? '<br>'.escape($words->say('message-erase_going_on', (int) $erased['going_on'])) : '';
		echo '<br>'.escape($text['message-erase_elsewhere']);
		echo "</div>\n";
	}
	$form = new voice_secretary_form($text, ['caller' => $caller], $error === '' ? [] : ['caller' => $error], !empty($input_toggle_style_switch));
	echo "<div class='card'>\n<table width='100%' border='0' cellpadding='0' cellspacing='0'>\n";
	echo $form->input('caller', ['required' => true], 'text', ['maxlength' => '64', 'inputmode' => 'tel', 'required' => 'required']);
	echo $form->row('sure', "<label><input type='checkbox' name='sure' id='sure' value='true'> ".escape($text['label-erase_sure']).'</label>', ['bare' => true, 'about' => '']);
	echo "</table>\n</div>\n<br /><br />\n<input type='hidden' name='".$token['name']."' value='".$token['hash']."'>\n</form>\n";

//include the footer
	require_once "resources/footer.php";

?>
