<?php

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";

//check permissions
	if (!(permission_exists('voice_secretary_provider_add') || permission_exists('voice_secretary_provider_edit'))) {
		echo "access denied";
		exit;
	}

//add multi-lingual support
	$language = new text;
	$text = $language->get();

	$providers = new voice_secretary_provider(['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']]);
	$registry = new voice_secretary_registry($providers->api());
	$words = new voice_secretary_words($text);

//whose row it is
	$given = $_REQUEST['id'] ?? '';
	$uuid = is_string($given) && $given !== '' ? $given : null;
	$stored = $uuid === null ? [] : $providers->find($uuid);
	if ($uuid !== null && !$stored) {
		message::add($text['message-no_such_provider'], 'negative');
		header('Location: providers_realtime.php');
		exit;
	}
	if ($uuid === null ? !permission_exists('voice_secretary_provider_add') : !permission_exists('voice_secretary_provider_edit')) {
		echo "access denied";
		exit;
	}

	$columns = $registry->columns('provider');
	$errors = [];
	$values = [];

//process the form
	if (count($_POST) > 0) {
		$token = new token;
		if (!$token->validate($_SERVER['PHP_SELF'])) {
			message::add($text['message-invalid_token'], 'negative');
			header('Location: providers_realtime.php');
			exit;
		}
		if (($_POST['action'] ?? '') === 'delete' && $uuid !== null) {
			$answer = $providers->delete([['checked' => 'true', 'uuid' => $uuid]])[0];
			message::add($answer->ok() ? $text['message-delete'] : escape($words->problem($answer, $providers->api()->url())), $answer->ok() ? 'positive' : 'negative');
			header('Location: providers_realtime.php');
			exit;
		}
		list($values, $wrong) = voice_secretary_fields::read($_POST, voice_secretary_fields::PROVIDER);
		$values['provider_settings'] = voice_secretary_fields::provider_settings($_POST, $wrong);
		foreach ($wrong as $name => $label) {
			$errors[$name] = $text[$label];
		}
		if (array_key_exists('provider_label', $values) && $values['provider_label'] === null) {
			$errors['provider_label'] = $text['message-field_needed'];
			unset($values['provider_label']);
		}
		//a key goes to the controller, which seals it; nothing typed keeps the one there is
		$key = is_string($_POST['credential'] ?? null) ? trim($_POST['credential']) : '';
		if ($key !== '' && !preg_match('/^[\x21-\x7e]{1,4096}$/', $key)) {
			$errors['credential'] = $text['message-bad_key'];
		}
		$sent = $values + ($key === '' ? (($_POST['forget_key'] ?? '') === 'true' ? ['credential' => null] : []) : ['credential' => $key]);
		$answer = $errors ? $providers->judge($uuid, $values) : $providers->save($uuid, $sent);
		$errors += $words->by_field($answer, array_merge(array_keys(voice_secretary_fields::PROVIDER), ['provider_settings', 'credential']));
		if ($answer->ok() && !$errors) {
			$uuid = $answer->data['voice_realtime_provider_uuid'] ?? $uuid;
			message::add($text[$stored ? 'message-update' : 'message-add']);
			$doubts = $providers->judge($uuid, []);
			foreach (array_slice(array_filter($doubts->data['warnings'] ?? [], 'is_string'), 0, 5) as $doubt) {
				message::add(escape($text['label-warning'].': '.$doubt), 'alert', 8000);
			}
			header('Location: providers_realtime_edit.php?id='.urlencode($uuid));
			exit;
		}
		$unsaved = $errors ? $text['message-not_saved_fields'] : $words->problem($answer, $providers->api()->url()).' '.$text['message-not_saved'];
		$unsaved .= empty($errors['']) ? '' : ' '.$errors[''];
	}

//what stands in the form
	$defaults = array_map(function ($column) { return $column['default'] ?? null; }, $columns);
	$shown = array_merge($defaults, ['enabled' => true, 'realtime_provider' => 'openai'], array_filter($stored, function ($value) { return $value !== null; })); // null is the default
	foreach (voice_secretary_fields::PROVIDER as $name => $type) {
		if (isset($_POST[$name]) && is_string($_POST[$name])) {
			$shown[$name] = $_POST[$name];
		}
	}
	$further = $values ? (array) $values['provider_settings'] : (array) ($shown['provider_settings'] ?? []);
	$away = !$columns;
	$labels = $registry->labels();

//create tokens: of this page, and of what its script asks
	$object = new token;
	$token = $object->create($_SERVER['PHP_SELF']);
	$ask_token = $object->create('/app/voice_secretary/realtime_ask.php');

//show the header
	$document['title'] = $text['title-provider'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";
	$form = new voice_secretary_form($text, $shown, $errors, !empty($input_toggle_style_switch));

//show the content
	echo "<form name='frm' id='frm' method='post' autocomplete='off' data-subject='provider'>\n";
	echo "<div class='action_bar' id='action_bar'>\n	<div class='heading'><b>".escape($uuid === null ? $text['title-provider_add'] : $text['title-provider'].': '.($stored['provider_label'] ?? ''))."</b></div>\n	<div class='actions'>\n";
	echo button::create(['type' => 'button', 'label' => $text['button-back'], 'icon' => $settings->get('theme', 'button_icon_back'), 'id' => 'btn_back', 'style' => 'margin-right: 15px;', 'link' => 'providers_realtime.php']);
	if ($uuid !== null) {
		echo "<span><button type='button' class='btn btn-default vs_test' id='btn_test' data-id='".escape($uuid)."'>".escape($text['button-test'])."</button> <span role='status' class='vs_said'></span></span> ";
	}
	if ($uuid !== null && permission_exists('voice_secretary_provider_delete')) {
		echo button::create(['type' => 'button', 'label' => $text['button-delete'], 'icon' => $settings->get('theme', 'button_icon_delete'), 'name' => 'btn_delete', 'style' => 'margin-right: 15px;', 'onclick' => "modal_open('modal-delete','btn_delete');"]);
	}
	echo button::create(['type' => 'submit', 'label' => $text['button-save'], 'icon' => $settings->get('theme', 'button_icon_save'), 'id' => 'btn_save', 'name' => 'action', 'value' => 'save', 'disabled' => $away]);
	echo "	</div>\n	<div style='clear: both;'></div>\n</div>\n";
	if ($uuid !== null && permission_exists('voice_secretary_provider_delete')) {
		$used = $providers->used_by($uuid);
		echo modal::create(['id' => 'modal-delete', 'type' => 'delete', 'actions' => ($used ? "<div class='vs_notice'>".escape(sprintf($text['message-provider_used'], $used)).'</div>' : '').button::create(['type' => 'submit', 'label' => $text['button-continue'], 'icon' => 'check', 'id' => 'btn_delete', 'style' => 'float: right; margin-left: 15px;', 'collapse' => 'never', 'name' => 'action', 'value' => 'delete', 'onclick' => 'modal_close();'])]);
	}
	echo escape($text['title_description-provider'])."\n<br /><br />\n";
	if (!empty($unsaved)) {
		echo "<div class='vs_notice vs_bad' role='alert' id='unsaved'>".escape($unsaved)."</div>\n";
	}
	elseif ($away) {
		echo "<div class='vs_notice' role='status'>".escape($words->problem($providers->api()->common('GET', '/columns'), $providers->api()->url()).' '.$text['message-cannot_save'])."</div>\n";
	}

	echo "<div class='card'>\n".$form->section('provider_who');
	echo $form->select('realtime_provider', $labels);
	echo $form->input('provider_label', ['required' => true], 'text', ['maxlength' => '100', 'required' => 'required']);
	echo $form->row('features', "<div id='features' class='vs_features'></div>", ['bare' => true]);
	$has_key = !empty($stored['has_key']);
	$forget = $has_key ? " <label class='vs_about'><input type='checkbox' name='forget_key' value='true'> ".escape($text['label-forget_key']).'</label>' : '';
	echo $form->input('credential', ['after' => " <span class='".($has_key ? 'vs_good_text' : 'vs_about')."' id='key_state'>".escape($text[$has_key ? 'label-key_set' : 'label-key_none']).'</span>'.$forget], 'password', ['autocomplete' => 'new-password', 'spellcheck' => 'false']);
	echo $form->suggested('model');
	$preview = $uuid === null ? '' : button::create(['type' => 'button', 'label' => $text['button-preview'], 'icon' => 'volume-high', 'id' => 'btn_preview', 'disabled' => $away])." <audio id='preview' controls hidden></audio> <span id='preview_said' class='vs_about' role='status'></span>";
	echo $form->suggested('default_voice_id', ['after' => ' '.$preview]);
	echo $form->toggle('enabled');
	echo $form->end().$form->section('provider_more');
	echo $form->number('priority');
	echo $form->number('max_concurrent_calls');
	echo $form->input('base_url', [], 'text', ['maxlength' => '2000', 'inputmode' => 'url', 'autocomplete' => 'off']);
	require __DIR__."/resources/provider_fields_form.php";
	echo $form->end()."</div>\n<br /><br />\n";
	if ($uuid !== null) {
		echo "<input type='hidden' name='id' value='".escape($uuid)."'>\n";
	}
	echo "<input type='hidden' name='".$token['name']."' value='".$token['hash']."'>\n</form>\n";
	echo "<script>window.voice_secretary = ".json_encode([
		'ask' => 'realtime_ask.php', 'token_name' => $ask_token['name'], 'token' => $ask_token['hash'], 'id' => $uuid ?? '', 'registry' => json_decode($registry->for_scripts()), 'rows' => new stdClass,
		'wait' => $text['script-testing'], 'failed' => $text['script-failed'], 'say' => array_intersect_key($text, array_flip(preg_grep('/^script-/', array_keys($text)))),
	], JSON_HEX_TAG | JSON_HEX_AMP | JSON_HEX_APOS | JSON_HEX_QUOT)."</script>\n";
	echo "<script src='resources/javascript/ask.js'></script><script src='resources/javascript/voice_secretary.js'></script>\n<script src='resources/javascript/provider_test.js'></script>\n";

//include the footer
	require_once "resources/footer.php";

?>
