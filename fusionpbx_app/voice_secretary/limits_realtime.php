<?php

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";

//check permissions
	if (!permission_exists('voice_secretary_setting_view')) {
		echo "access denied";
		exit;
	}

//add multi-lingual support
	$language = new text;
	$text = $language->get();

	$of = ['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']];
	$api = new voice_secretary_api($database, (string) $_SESSION['domain_uuid']);
	$registry = new voice_secretary_registry($api);
	$words = new voice_secretary_words($text);
	$overview = new voice_secretary_overview($of);
	$columns = $registry->columns('settings');
	$further = voice_secretary_fields::further($columns, voice_secretary_fields::SETTINGS, []);
	$may_edit = permission_exists('voice_secretary_setting_edit');
	$errors = [];

//process the form
	if (count($_POST) > 0) {
		$token = new token;
		if (!$token->validate($_SERVER['PHP_SELF'])) {
			message::add($text['message-invalid_token'], 'negative');
			header('Location: limits_realtime.php');
			exit;
		}
		list($values, $wrong) = voice_secretary_fields::read($_POST, voice_secretary_fields::SETTINGS + $further);
		foreach ($wrong as $name => $label) {
			$errors[$name] = $text[$label];
		}
		$answer = $errors || !$may_edit ? new voice_secretary_answer(0, '', 'not_allowed') : $api->domain('PATCH', '/settings', $values);
		$errors += $words->by_field($answer, array_keys(voice_secretary_fields::SETTINGS + $further));
		if ($answer->ok()) {
			message::add($text['message-update']);
			header('Location: limits_realtime.php');
			exit;
		}
		$unsaved = $errors ? $text['message-not_saved_fields'] : $words->problem($answer, $api->url()).' '.$text['message-not_saved'];
		$unsaved .= empty($errors['']) ? '' : ' '.$errors[''];
	}

//what stands in the form
	$stored = $overview->limits();
	$shown = array_merge(array_map(function ($column) { return $column['default'] ?? null; }, $columns), array_filter($stored, function ($value) { return $value !== null; }));
	if (!isset($stored['time_zone'])) {
		$shown['time_zone'] = '';
	}
	foreach (voice_secretary_fields::SETTINGS + $further as $name => $type) {
		if ($type !== 'key' && isset($_POST[$name]) && is_string($_POST[$name])) {
			$shown[$name] = $_POST[$name];
		}
		elseif ($type === 'key') {
			$shown[$name] = !empty($stored[$name]);
		}
		elseif ($type === 'json') {
			$shown[$name] = is_array($shown[$name] ?? null) ? ($shown[$name] ? json_encode($shown[$name]) : '') : ($shown[$name] ?? '');
		}
	}
	$zone = voice_secretary_overview::zone($settings, $stored);
	$spent = $overview->spent($zone);
	$numbers = [];
	foreach ((new voice_secretary_realtime($of))->destinations() as $kind => $found) {
		foreach ($found as $number => $name) {
			$numbers[$text['label-'.$kind]][(string) $number] = $number.($name === '' ? '' : ' – '.$name);
		}
	}
	$away = !$columns;

//create the token
	$object = new token;
	$token = $object->create($_SERVER['PHP_SELF']);

//show the header
	$document['title'] = $text['title-limits'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";
	$form = new voice_secretary_form($text, $shown, $errors, !empty($input_toggle_style_switch));

//show the content
	echo "<form name='frm' id='frm' method='post' autocomplete='off'>\n<div class='action_bar' id='action_bar'>\n	<div class='heading'><b>".escape($text['title-limits'])."</b></div>\n	<div class='actions'>\n";
	echo button::create(['type' => 'button', 'label' => $text['button-back'], 'icon' => $settings->get('theme', 'button_icon_back'), 'id' => 'btn_back', 'style' => 'margin-right: 15px;', 'link' => 'secretaries.php']);
	if (permission_exists('voice_secretary_conversation_erase')) {
		echo button::create(['type' => 'button', 'label' => $text['button-erase_caller'], 'icon' => 'user-slash', 'id' => 'btn_erase_caller', 'style' => 'margin-right: 15px;', 'link' => 'erase_caller_realtime.php']);
	}
	if ($may_edit) {
		echo button::create(['type' => 'submit', 'label' => $text['button-save'], 'icon' => $settings->get('theme', 'button_icon_save'), 'id' => 'btn_save', 'name' => 'action', 'value' => 'save', 'disabled' => $away]);
	}
	echo "	</div>\n	<div style='clear: both;'></div>\n</div>\n".escape($text['title_description-limits'])."\n<br /><br />\n";
	if (!empty($unsaved)) {
		echo "<div class='vs_notice vs_bad' role='alert' id='unsaved'>".escape($unsaved)."</div>\n";
	}
	elseif ($away) {
		echo "<div class='vs_notice' role='status'>".escape($words->problem($api->common('GET', '/columns'), $api->url()).' '.$text['message-cannot_save'])."</div>\n";
	}
	echo "<div class='card'>\n".$form->section('money');
	$warning = (int) ($stored['budget_warning_percent'] ?? 80);
	foreach (['day' => 'daily_budget_usd', 'month' => 'monthly_budget_usd'] as $period => $column) {
		$limit = isset($stored[$column]) ? (float) $stored[$column] : null;
		echo $form->number($column, [], 'USD');
		echo $form->row('spent_'.$period, voice_secretary_overview::meter((float) ($spent[$period] ?? 0), $limit, $warning, $text), ['bare' => true]);
	}
	echo $form->number('budget_warning_percent', [], '%');
	echo $form->select('budget_action', ['turn_based' => $text['option-turn_based'], 'human' => $text['option-human'], 'low_cost' => $text['option-low_cost']]);
	echo $form->select('human_extension', ['' => ''] + $numbers);
	echo $form->number('max_concurrent_calls');
	echo $form->input('time_zone', [], 'text', ['maxlength' => '64', 'autocomplete' => 'off', 'placeholder' => $zone]);
	echo $form->end().$form->section('privacy');
	echo $form->number('retention_days', [], $text['label-days']);
	echo $form->toggle('store_transcripts');
	echo $form->toggle('redact_personal_data');
	echo $form->end();
	if ($further) {
		echo $form->section('expert', false).$form->further($columns, $further).$form->end();
	}
	echo "</div>\n<br /><br />\n<input type='hidden' name='".$token['name']."' value='".$token['hash']."'>\n</form>\n";

//include the footer
	require_once "resources/footer.php";

?>
