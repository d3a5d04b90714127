<?php

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";

//check permissions
	if (!(permission_exists('voice_secretary_function_add') || permission_exists('voice_secretary_function_edit'))) {
		echo "access denied";
		exit;
	}

//add multi-lingual support
	$language = new text;
	$text = $language->get();

	$functions = new voice_secretary_function(['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']]);
	$registry = new voice_secretary_registry($functions->api());
	$words = new voice_secretary_words($text);

//whose row it is
	$given = $_REQUEST['id'] ?? '';
	$uuid = is_string($given) && $given !== '' ? $given : null;
	$stored = $uuid === null ? [] : $functions->find($uuid);
	if ($uuid !== null && !$stored) {
		message::add($text['message-no_such_function'], 'negative');
		header('Location: functions_realtime.php');
		exit;
	}
	if ($uuid === null ? !permission_exists('voice_secretary_function_add') : !permission_exists('voice_secretary_function_edit')) {
		echo "access denied";
		exit;
	}
	$columns = $registry->columns('function');
	$errors = [];

//try it as a model would, or ask its server for its tools
	$tried = $refreshed = null;
	$act = $_POST['act'] ?? '';
	if ($uuid !== null && in_array($act, ['try', 'refresh'], true)) {
		$token = new token;
		if (!$token->validate($_SERVER['PHP_SELF'])) {
			message::add($text['message-invalid_token'], 'negative');
			header('Location: functions_realtime.php');
			exit;
		}
		if ($act === 'refresh') {
			$refreshed = $functions->refresh($uuid);
		}
		else {
			list($arguments, $wrong) = voice_secretary_fields::read($_POST, ['try_arguments' => 'json']);
			$errors += array_map(function ($label) use ($text) { return $text[$label]; }, $wrong);
			$tool = is_string($_POST['try_tool'] ?? null) ? trim($_POST['try_tool']) : '';
			$tried = $errors ? null : $functions->try_out($uuid, (array) ($arguments['try_arguments'] ?? []), $tool);
		}
	}

//process the form
	elseif (count($_POST) > 0) {
		$token = new token;
		if (!$token->validate($_SERVER['PHP_SELF'])) {
			message::add($text['message-invalid_token'], 'negative');
			header('Location: functions_realtime.php');
			exit;
		}
		list($values, $wrong) = voice_secretary_function::typed($_POST);
		foreach ($wrong as $name => $label) {
			$errors[$name] = $text[$label];
		}
		//a key goes to the controller, which seals it; nothing typed keeps the one there is
		$key = is_string($_POST['credential'] ?? null) ? trim($_POST['credential']) : '';
		if ($key !== '' && !preg_match('/^[\x21-\x7e]{1,4096}$/', $key)) {
			$errors['credential'] = $text['message-bad_key'];
		}
		$answer = $errors ? new voice_secretary_answer(422, '') : $functions->save($uuid, $values + ($key === '' ? [] : ['credential' => $key]));
		$errors += $words->by_field($answer, array_merge(array_keys(voice_secretary_function::FIELDS), ['credential']));
		if ($answer->ok() && !$errors) {
			$uuid = $answer->data['voice_realtime_function_uuid'] ?? $uuid;
			message::add($text[$stored ? 'message-update' : 'message-add']);
			header('Location: functions_realtime_edit.php?id='.urlencode($uuid));
			exit;
		}
		$unsaved = $errors ? $text['message-not_saved_fields'] : $words->problem($answer, $functions->api()->url()).' '.$text['message-not_saved'];
		$unsaved .= empty($errors['']) ? '' : ' '.$errors[''];
	}

//what stands in the form
	$defaults = array_map(function ($column) { return $column['default'] ?? null; }, $columns);
	$shown = array_merge($defaults, ['enabled' => true], array_filter($stored, function ($value) { return $value !== null; }));
	foreach (voice_secretary_function::FIELDS as $name => $type) {
		if (isset($_POST[$name]) && is_string($_POST[$name])) {
			$shown[$name] = $_POST[$name];
		}
		elseif ($type === 'json') {
			$shown[$name] = is_array($shown[$name] ?? null) && $shown[$name] ? json_encode($shown[$name], JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES) : '';
		}
	}
	$away = !$columns;

//create the token
	$object = new token;
	$token = $object->create($_SERVER['PHP_SELF']);

//show the header
	$document['title'] = $text['title-function'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";
	$form = new voice_secretary_form($text, $shown, $errors, !empty($input_toggle_style_switch));
	$about = function (string $name) use ($columns, $text) {
		return ['about' => $text['description-'.$name] ?? $columns[$name]['help'] ?? ''];
	};

//show the content
	echo "<form name='frm' id='frm' method='post' autocomplete='off'>\n<div class='action_bar' id='action_bar'>\n	<div class='heading'><b>".escape($uuid === null ? $text['title-function_add'] : $text['title-function'].': '.($stored['function_name'] ?? ''))."</b></div>\n	<div class='actions'>\n";
	echo button::create(['type' => 'button', 'label' => $text['button-back'], 'icon' => $settings->get('theme', 'button_icon_back'), 'id' => 'btn_back', 'style' => 'margin-right: 15px;', 'link' => 'functions_realtime.php']);
	echo button::create(['type' => 'submit', 'label' => $text['button-save'], 'icon' => $settings->get('theme', 'button_icon_save'), 'id' => 'btn_save', 'name' => 'action', 'value' => 'save', 'disabled' => $away]);
	echo "	</div>\n	<div style='clear: both;'></div>\n</div>\n".escape($text['title_description-function'])."\n<br /><br />\n";
	if (!empty($unsaved)) {
		echo "<div class='vs_notice vs_bad' role='alert' id='unsaved'>".escape($unsaved)."</div>\n";
	}
	elseif ($away) {
		echo "<div class='vs_notice' role='status'>".escape($words->problem($functions->api()->common('GET', '/columns'), $functions->api()->url()).' '.$text['message-cannot_save'])."</div>\n";
	}
	echo "<div class='card'>\n".$form->section('function');
	echo $form->input('function_name', ['required' => true] + $about('function_name'), 'text', ['maxlength' => '64', 'required' => 'required', 'autocomplete' => 'off']);
	echo $form->select('function_kind', ['http' => $text['option-http'], 'mcp' => $text['option-mcp']], $about('function_kind'));
	echo $form->area('description', 3, ['label' => $text['label-description']] + $about('description'));
	echo $form->toggle('enabled', ['about' => '']);
	echo $form->input('extensions', $about('extensions'), 'text', ['placeholder' => '["8001"]', 'autocomplete' => 'off']);
	echo $form->end().$form->section('function_request');
	echo $form->input('url', ['required' => true] + $about('url'), 'text', ['maxlength' => '2000', 'inputmode' => 'url', 'autocomplete' => 'off']);
	echo $form->select('http_method', array_combine(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']), $about('http_method'));
	$has_key = !empty($stored['has_key']);
	echo $form->input('credential', ['after' => " <span class='".($has_key ? 'vs_good_text' : 'vs_about')."' id='key_state'>".escape($text[$has_key ? 'label-key_set' : 'label-key_none']).'</span>', 'about' => ''], 'password', ['autocomplete' => 'new-password', 'spellcheck' => 'false']);
	echo $form->area('headers', 2, ['label' => $text['label-headers'].($stored['header_names'] ?? [] ? ' ('.implode(', ', $stored['header_names']).')' : '')] + $about('headers'));
	foreach (['parameters' => 6, 'argument_places' => 3, 'result_fields' => 3] as $name => $rows) {
		echo $form->area($name, $rows, $about($name));
	}
	echo $form->area('mcp_tools', 2, $about('mcp_tools'));
	echo $form->number('timeout_seconds', $about('timeout_seconds'), 's');
	echo $form->number('max_result_bytes', $about('max_result_bytes'));
	echo $form->end()."</div>\n<br /><br />\n";
	if ($uuid !== null) {
		echo "<input type='hidden' name='id' value='".escape($uuid)."'>\n";
	}
	echo "<input type='hidden' name='".$token['name']."' value='".$token['hash']."'>\n</form>\n";
	if ($uuid !== null) {
		require_once __DIR__."/resources/function_try_form.php";
	}

//include the footer
	require_once "resources/footer.php";

?>
