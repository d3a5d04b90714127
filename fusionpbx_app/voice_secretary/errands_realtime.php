<?php

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";

//check permissions
	if (!permission_exists('voice_secretary_errand_view')) {
		echo "access denied";
		exit;
	}

//add multi-lingual support
	$language = new text;
	$text = $language->get();

	$of = ['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']];
	$errands = new voice_secretary_errand($of);
	$words = new voice_secretary_words($text);
	$state = is_string($_GET['state'] ?? null) && in_array($_GET['state'], voice_secretary_errand::STATES, true) ? $_GET['state'] : '';

//process the form
	if (count($_POST) > 0) {
		$token = new token;
		if (!$token->validate($_SERVER['PHP_SELF'])) {
			message::add($text['message-invalid_token'], 'negative');
		}
		else {
			$what = isset($_POST['retry']) ? 'retry' : 'drop';
			$answer = $errands->act($what, $_POST[$what] ?? '', (string) ($_SESSION['username'] ?? ''));
			message::add($answer->ok() ? $text[$what === 'retry' ? 'message-errand_again' : 'message-errand_dropped'] : escape($words->problem($answer, $errands->api()->url())), $answer->ok() ? 'positive' : 'negative');
		}
		header('Location: errands_realtime.php'.($state === '' ? '' : '?state='.$state));
		exit;
	}
	$rows = $errands->list($state, voice_secretary_overview::zone($settings, (new voice_secretary_overview($of))->limits()));
	$may_edit = permission_exists('voice_secretary_errand_edit');

//create the token
	$object = new token;
	$token = $object->create($_SERVER['PHP_SELF']);

//include the header
	$document['title'] = $text['title-errands'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";

//show the content
	echo "<div class='action_bar' id='action_bar'>\n	<div class='heading'><b>".escape($text['title-errands'])."</b><div class='count'>".count($rows)."</div></div>\n	<div class='actions'>\n";
	echo button::create(['type' => 'button', 'label' => $text['button-back'], 'icon' => $settings->get('theme', 'button_icon_back'), 'id' => 'btn_back', 'link' => 'secretaries.php']);
	echo "	</div>\n	<div style='clear: both;'></div>\n</div>\n".escape($text['title_description-errands'])."\n<br /><br />\n";
	echo "<form method='get' class='vs_filters'><label>".escape($text['label-errand_state'])." <select class='formfld' name='state' onchange='this.form.submit()'><option value=''></option>";
	foreach (voice_secretary_errand::STATES as $one) {
		echo "<option value='".$one."'".($state === $one ? " selected='selected'" : '').'>'.escape($text['option-state_'.$one]).'</option>';
	}
	echo "</select></label></form>\n<div class='card'>\n<form method='post'>\n<table class='list'>\n<tr class='list-header'>";
	foreach (['created', 'kind', 'state', 'attempts', 'error'] as $one) {
		echo '<th>'.escape($text['label-errand_'.$one]).'</th>';
	}
	echo "<td></td></tr>\n";
	foreach ($rows as $row) {
		$talk = $row['conversation_uuid'] === null ? '' : 'conversation_realtime_detail.php?id='.urlencode($row['conversation_uuid']);
		echo "<tr class='list-row'><td>".($talk === '' ? escape($row['created']) : "<a href='".escape($talk)."'>".escape($row['created']).'</a>').'</td><td>'.escape($text['option-errand_'.$row['kind']] ?? $row['kind'])."</td><td class='".($row['state'] === 'dead' ? 'vs_bad_text' : '')."'>".escape($text['option-state_'.$row['state']] ?? $row['state']).'</td><td>'.escape($row['attempts'])."</td><td style='white-space: normal;'>".escape(mb_substr((string) $row['last_error'], 0, 300)).'</td><td>';
		if ($may_edit && in_array($row['state'], ['dead', 'queued'], true)) {
			echo "<button type='submit' class='btn btn-default' name='retry' value='".escape($row['errand_uuid'])."'>".escape($text['button-retry'])."</button> <button type='submit' class='btn btn-default' name='drop' value='".escape($row['errand_uuid'])."'>".escape($text['button-delete']).'</button>';
		}
		echo "</td></tr>\n";
	}
	echo "</table>\n";
	if (!$rows) {
		echo "<div class='vs_empty'>".escape($text['message-no_errand'])."</div>\n";
	}
	echo "<input type='hidden' name='".$token['name']."' value='".$token['hash']."'>\n</form>\n</div>\n";

//include the footer
	require_once "resources/footer.php";

?>
