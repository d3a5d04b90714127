<?php

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";

//check permissions
	if (!(permission_exists('voice_secretary_add') || permission_exists('voice_secretary_edit'))) {
		echo "access denied";
		exit;
	}

//add multi-lingual support
	$language = new text;
	$text = $language->get();

	$secretaries = new voice_secretary_realtime(['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']]);
	$providers = new voice_secretary_provider(['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid'], 'api' => $secretaries->api()]);
	$registry = new voice_secretary_registry($secretaries->api());
	$words = new voice_secretary_words($text);

//whose row it is
	$given = $_REQUEST['id'] ?? '';
	$uuid = is_string($given) && $given !== '' ? $given : null;
	$stored = $uuid === null ? [] : $secretaries->find($uuid);
	if ($uuid !== null && !$stored) {
		message::add($text['message-no_such_secretary'], 'negative');
		header('Location: secretaries.php');
		exit;
	}
	if ($uuid === null ? !permission_exists('voice_secretary_add') : !permission_exists('voice_secretary_edit')) {
		echo "access denied";
		exit;
	}

	$columns = $registry->columns('secretary');
	$further = voice_secretary_fields::further($columns, voice_secretary_fields::SECRETARY, voice_secretary_fields::SECRETARY_EDITORS);
	$errors = [];
	$values = [];

//process the form
	if (count($_POST) > 0) {
		$token = new token;
		if (!$token->validate($_SERVER['PHP_SELF'])) {
			message::add($text['message-invalid_token'], 'negative');
			header('Location: secretaries.php');
			exit;
		}
		if (($_POST['action'] ?? '') === 'delete' && $uuid !== null) {
			$answer = $secretaries->delete([['checked' => 'true', 'uuid' => $uuid]])[0];
			message::add($answer->ok() ? $text['message-delete'] : escape($words->problem($answer, $secretaries->api()->url())), $answer->ok() ? 'positive' : 'negative');
			header('Location: secretaries.php');
			exit;
		}

		list($values, $wrong) = voice_secretary_fields::read($_POST, voice_secretary_fields::SECRETARY + $further);
		foreach ($wrong as $name => $label) {
			$errors[$name] = $text[$label];
		}
		$values['transfer_rules'] = voice_secretary_fields::transfer_rules($_POST);
		$values['business_hours'] = voice_secretary_fields::business_hours($_POST);
		$values['functions_config'] = voice_secretary_fields::functions($_POST);
		list($special, $wrong) = voice_secretary_fields::read($_POST, ['voice_speed' => 'number', 'provider_config' => 'json']);
		foreach ($wrong as $name => $label) {
			$errors[$name] = $text[$label];
		}
		if (array_key_exists('secretary_name', $values) && $values['secretary_name'] === null) {
			$errors['secretary_name'] = $text['message-field_needed'];
			unset($values['secretary_name']);
		}
		$values['voice_settings'] = isset($special['voice_speed']) ? ['speed' => $special['voice_speed']] : new stdClass;
		$values['provider_config'] = $special['provider_config'] ?? new stdClass;
		$mode = in_array($_POST['processing_mode'] ?? '', voice_secretary_realtime::MODES, true) ? $_POST['processing_mode'] : 'realtime';

		$answer = $errors ? $secretaries->judge($uuid, $values) : $secretaries->save($uuid, $values);
		$known = array_merge(array_keys(voice_secretary_fields::SECRETARY + $further), voice_secretary_fields::SECRETARY_EDITORS);
		$errors += $words->by_field($answer, $known);
		if (isset($errors['voice_settings'])) {
			$errors['voice_speed'] = $errors['voice_settings'];
		}
		if ($answer->ok() && !$errors) {
			$uuid = $answer->data['secretary_realtime_uuid'] ?? $uuid;
			$extension = (string) ($answer->data['extension'] ?? '');
			if ($extension !== '') {
				$secretaries->set_mode($extension, $mode, (string) ($answer->data['secretary_name'] ?? ''), (string) ($answer->data['system_prompt'] ?? ''));
			}
			unset($_SESSION['destinations']['array']);
			message::add($text[$stored ? 'message-update' : 'message-add']);
			$doubts = $secretaries->judge($uuid, []);
			foreach (array_slice(array_filter($doubts->data['warnings'] ?? [], 'is_string'), 0, 5) as $doubt) {
				message::add(escape($text['label-warning'].': '.$doubt), 'alert', 8000);
			}
			header('Location: secretary_edit.php?id='.urlencode($uuid));
			exit;
		}
		$unsaved = $errors ? $text['message-not_saved_fields'] : $words->problem($answer, $secretaries->api()->url()).' '.$text['message-not_saved'];
		if (!empty($errors[''])) {
			$unsaved .= ' '.$errors[''];
		}
	}

//what stands in the form: what was typed, else what is stored, else the controller's defaults
	$defaults = array_map(function ($column) { return $column['default'] ?? null; }, $columns);
	$shown = array_merge($defaults, ['enabled' => true], array_filter($stored, function ($value) { return $value !== null; })); // null is the default
	foreach (voice_secretary_fields::SECRETARY + $further as $name => $type) {
		if (isset($_POST[$name]) && is_string($_POST[$name])) {
			$shown[$name] = $_POST[$name];
		}
		elseif ($type === 'json' && is_array($shown[$name] ?? null)) {
			$shown[$name] = $shown[$name] ? json_encode($shown[$name], JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES) : '';
		}
	}
	foreach (['transfer_rules', 'business_hours', 'functions_config'] as $name) {
		$shown[$name] = $values ? $values[$name] : ($shown[$name] ?? null);
	}
	$settings_of_voice = $values ? (array) $values['voice_settings'] : (array) ($shown['voice_settings'] ?? []);
	$shown['voice_speed'] = is_string($_POST['voice_speed'] ?? null) ? $_POST['voice_speed'] : ($settings_of_voice['speed'] ?? '');
	$own = $shown['provider_config'] ?? null;
	$shown['provider_config'] = is_string($_POST['provider_config'] ?? null) ? $_POST['provider_config'] : (is_array($own) && $own ? json_encode($own, JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES) : '');
	$shown['processing_mode'] = $values ? $mode : $secretaries->mode($stored['extension'] ?? null);
	$provider_rows = $providers->list();
	$destinations = $secretaries->destinations();
	$limits = (new voice_secretary_overview(['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']]))->limits();
	$last_month = $uuid === null ? null : $secretaries->last_month($uuid, voice_secretary_overview::zone($settings, $limits));
	$away = !$columns;

//create tokens: of this page, and of what its script asks
	$object = new token;
	$token = $object->create($_SERVER['PHP_SELF']);
	$ask_token = $object->create('/app/voice_secretary/realtime_ask.php');

//show the header
	$document['title'] = $text['title-secretary'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";
	$form = new voice_secretary_form($text, $shown, $errors, !empty($input_toggle_style_switch));

//show the content
	echo "<form name='frm' id='frm' method='post' autocomplete='off' data-subject='secretary'>\n";
	echo "<div class='action_bar' id='action_bar'>\n";
	echo "	<div class='heading'><b>".escape($uuid === null ? $text['title-secretary_add'] : $text['title-secretary'].': '.($stored['secretary_name'] ?? ''))."</b></div>\n";
	echo "	<div class='actions'>\n";
	echo button::create(['type' => 'button', 'label' => $text['button-back'], 'icon' => $settings->get('theme', 'button_icon_back'), 'id' => 'btn_back', 'style' => 'margin-right: 15px;', 'link' => 'secretaries.php']);
	if ($uuid !== null && permission_exists('voice_secretary_talk') && !empty($stored['extension'])) {
		echo button::create(['type' => 'button', 'label' => $text['button-test_call'], 'icon' => 'phone', 'id' => 'btn_test', 'link' => 'talk_realtime.php?id='.urlencode($uuid)]);
	}
	if ($uuid !== null && permission_exists('voice_secretary_delete')) {
		echo button::create(['type' => 'button', 'label' => $text['button-delete'], 'icon' => $settings->get('theme', 'button_icon_delete'), 'name' => 'btn_delete', 'style' => 'margin-right: 15px;', 'onclick' => "modal_open('modal-delete','btn_delete');"]);
	}
	echo button::create(['type' => 'submit', 'label' => $text['button-save'], 'icon' => $settings->get('theme', 'button_icon_save'), 'id' => 'btn_save', 'name' => 'action', 'value' => 'save', 'disabled' => $away]);
	echo "	</div>\n	<div style='clear: both;'></div>\n</div>\n";
	if ($uuid !== null && permission_exists('voice_secretary_delete')) {
		echo modal::create(['id' => 'modal-delete', 'type' => 'delete', 'actions' => button::create(['type' => 'submit', 'label' => $text['button-continue'], 'icon' => 'check', 'id' => 'btn_delete', 'style' => 'float: right; margin-left: 15px;', 'collapse' => 'never', 'name' => 'action', 'value' => 'delete', 'onclick' => 'modal_close();'])]);
	}
	echo escape($text['title_description-secretary'])."\n<br /><br />\n";
	if (!empty($unsaved)) {
		echo "<div class='vs_notice vs_bad' role='alert' id='unsaved'>".escape($unsaved)."</div>\n";
	}
	elseif ($away) {
		echo "<div class='vs_notice' role='status'>".escape($words->problem($secretaries->api()->common('GET', '/columns'), $secretaries->api()->url()).' '.$text['message-cannot_save'])."</div>\n";
	}
	require __DIR__."/resources/secretary_form.php";
	if ($uuid !== null) {
		echo "<input type='hidden' name='id' value='".escape($uuid)."'>\n";
	}
	echo "<input type='hidden' name='".$token['name']."' value='".$token['hash']."'>\n</form>\n";
	echo "<script>window.voice_secretary = ".json_encode([
		'ask' => 'realtime_ask.php', 'token_name' => $ask_token['name'], 'token' => $ask_token['hash'], 'id' => $uuid ?? '', 'registry' => json_decode($registry->for_scripts()),
		'rows' => array_column($provider_rows, 'realtime_provider', 'voice_realtime_provider_uuid'),
		'say' => array_intersect_key($text, array_flip(preg_grep('/^script-/', array_keys($text)))),
	], JSON_HEX_TAG | JSON_HEX_AMP | JSON_HEX_APOS | JSON_HEX_QUOT)."</script>\n";
	echo "<script src='resources/javascript/ask.js'></script><script src='resources/javascript/voice_secretary.js'></script>\n";

//include the footer
	require_once "resources/footer.php";

?>
