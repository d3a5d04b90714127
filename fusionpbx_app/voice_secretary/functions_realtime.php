<?php

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";

//check permissions
	if (!permission_exists('voice_secretary_function_view')) {
		echo "access denied";
		exit;
	}

//add multi-lingual support
	$language = new text;
	$text = $language->get();

	$functions = new voice_secretary_function(['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']]);
	$words = new voice_secretary_words($text);

//process the form
	if (count($_POST) > 0) {
		$token = new token;
		$action = $_POST['action'] ?? '';
		$rows = is_array($_POST['functions'] ?? null) ? $_POST['functions'] : [];
		if (!$token->validate($_SERVER['PHP_SELF'])) {
			message::add($text['message-invalid_token'], 'negative');
		}
		elseif (in_array($action, ['copy', 'toggle', 'delete'], true)) {
			$answers = $action === 'copy' ? $functions->copy($rows, '') : ($action === 'toggle' ? $functions->toggle($rows) : $functions->delete($rows));
			$bad = array_filter($answers, function ($answer) { return !$answer->ok(); });
			foreach (array_slice($bad, 0, 3) as $answer) {
				message::add(escape(implode(' ', $words->by_field($answer, [])) ?: $words->problem($answer, $functions->api()->url())), 'negative', 8000);
			}
			if ($answers && !$bad) {
				message::add($text['message-'.$action]);
			}
		}
		header('Location: functions_realtime.php');
		exit;
	}
	$rows = $functions->list();

//create the token
	$object = new token;
	$token = $object->create($_SERVER['PHP_SELF']);

//include the header
	$document['title'] = $text['title-functions'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";

//show the content
	$may = ['copy' => permission_exists('voice_secretary_function_add'), 'toggle' => permission_exists('voice_secretary_function_edit'), 'delete' => permission_exists('voice_secretary_function_delete')];
	echo "<div class='action_bar' id='action_bar'>\n	<div class='heading'><b>".escape($text['title-functions'])."</b><div class='count'>".count($rows)."</div></div>\n	<div class='actions'>\n";
	echo button::create(['type' => 'button', 'label' => $text['button-back'], 'icon' => $settings->get('theme', 'button_icon_back'), 'id' => 'btn_back', 'style' => 'margin-right: 15px;', 'link' => 'secretaries.php']);
	if ($may['copy']) {
		echo button::create(['type' => 'button', 'label' => $text['button-add'], 'icon' => $settings->get('theme', 'button_icon_add'), 'id' => 'btn_add', 'link' => 'functions_realtime_edit.php']);
	}
	foreach (array_keys(array_filter($may)) as $one) {
		if ($rows) {
			echo button::create(['type' => 'button', 'label' => $text['button-'.$one], 'icon' => $settings->get('theme', 'button_icon_'.$one), 'id' => 'btn_'.$one, 'name' => 'btn_'.$one, 'style' => 'display: none;', 'onclick' => "modal_open('modal-".$one."','btn_".$one."');"]);
		}
	}
	echo "	</div>\n	<div style='clear: both;'></div>\n</div>\n";
	foreach (array_keys(array_filter($may)) as $one) {
		if ($rows) {
			echo modal::create(['id' => 'modal-'.$one, 'type' => $one, 'actions' => button::create(['type' => 'button', 'label' => $text['button-continue'], 'icon' => 'check', 'id' => 'btn_'.$one.'_sure', 'style' => 'float: right; margin-left: 15px;', 'collapse' => 'never', 'onclick' => "modal_close(); list_action_set('".$one."'); list_form_submit('form_list');"])]);
		}
	}
	echo escape($text['title_description-functions'])."\n<br /><br />\n<div class='card'>\n<form id='form_list' method='post'>\n<input type='hidden' id='action' name='action' value=''>\n<table class='list'>\n<tr class='list-header'>\n";
	if (array_filter($may)) {
		echo "	<th class='checkbox'><input type='checkbox' id='checkbox_all' name='checkbox_all' aria-label='".escape($text['title-functions'])."' onclick='list_all_toggle(); checkbox_on_change(this);'".($rows ? '' : " style='visibility: hidden;'")."></th>\n";
	}
	echo "	<th>".escape($text['label-function_name'])."</th><th>".escape($text['label-function_kind'])."</th><th class='hide-sm-dn'>".escape($text['label-url'])."</th><th class='center'>".escape($text['label-enabled'])."</th><th class='hide-sm-dn'>".escape($text['label-description'])."</th>\n</tr>\n";
	foreach ($rows as $x => $row) {
		$url = 'functions_realtime_edit.php?id='.urlencode($row['voice_realtime_function_uuid']);
		echo "<tr class='list-row' href='".escape($may['toggle'] ? $url : '')."'>\n";
		if (array_filter($may)) {
			echo "	<td class='checkbox'><input type='checkbox' name='functions[".$x."][checked]' id='checkbox_".$x."' value='true' aria-label='".escape($row['function_name'])."' onclick=\"checkbox_on_change(this); if (!this.checked) { document.getElementById('checkbox_all').checked = false; }\"><input type='hidden' name='functions[".$x."][uuid]' value='".escape($row['voice_realtime_function_uuid'])."'></td>\n";
		}
		echo "	<td>".($may['toggle'] ? "<a href='".escape($url)."'>".escape($row['function_name']).'</a>' : escape($row['function_name']))."</td>\n";
		echo "	<td>".escape($text['option-'.$row['function_kind']] ?? $row['function_kind'])."</td>\n	<td class='hide-sm-dn overflow'>".escape($row['url'])."</td>\n	<td class='center'>".escape($text[$row['enabled'] === 'true' ? 'label-true' : 'label-false'])."</td>\n	<td class='description overflow hide-sm-dn'>".escape($row['description'])."</td>\n</tr>\n";
	}
	echo "</table>\n";
	if (!$rows) {
		echo "<div class='vs_empty'>".escape($text['message-no_function'])."</div>\n";
	}
	echo "<input type='hidden' name='".$token['name']."' value='".$token['hash']."'>\n</form>\n</div>\n";

//include the footer
	require_once "resources/footer.php";

?>
