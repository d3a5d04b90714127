<?php

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";

//check permissions
	if (!permission_exists('voice_secretary_first_run')) {
		echo "access denied";
		exit;
	}

//add multi-lingual support
	$language = new text;
	$text = $language->get();

	$of = ['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']];
	$secretaries = new voice_secretary_realtime($of);
	$api = $secretaries->api();
	$providers = new voice_secretary_provider($of + ['api' => $api]);
	$dialplan = new voice_secretary_dialplan($of + ['domain_name' => $_SESSION['domain_name'] ?? '']);
	$words = new voice_secretary_words($text);
	$registry = new voice_secretary_registry($api);
	$templates = require __DIR__."/resources/templates.php";
	$typed = array_filter($_POST, 'is_string');
	$said = [];

//process the steps
	if (count($_POST) > 0) {
		$token = new token;
		if (!$token->validate($_SERVER['PHP_SELF'])) {
			message::add($text['message-invalid_token'], 'negative');
			header('Location: first_run.php');
			exit;
		}
		$step = $typed['step'] ?? '';
		$done = false;
		if ($step === 'dialplan') {
			$done = $dialplan->install();
			$said['dialplan'] = $done ? '' : $text['first-dialplan_failed'];
		}
		if ($step === 'provider') {
			$key = trim($typed['credential'] ?? '');
			$kind = $typed['realtime_provider'] ?? '';
			if (!preg_match('/^[\x21-\x7e]{1,4096}$/', $key)) {
				$said['provider'] = $text['message-bad_key'];
			}
			else {
				$row = is_uuid($typed['id'] ?? '') ? $typed['id'] : null;
				$settings_of_kind = trim($typed['agent_id'] ?? '') === '' ? new stdClass : ['agent_id' => trim($typed['agent_id'])];
				$answer = $providers->save($row, $row !== null ? ['credential' => $key] : ['realtime_provider' => $kind, 'provider_label' => $registry->labels()[$kind] ?? $kind, 'credential' => $key, 'provider_settings' => $settings_of_kind]);
				$done = $answer->ok();
				$said['provider'] = $done ? '' : trim(implode(' ', $words->by_field($answer, [])) ?: $words->problem($answer, $api->url()));
			}
		}
		if ($step === 'secretary') {
			$template = $templates[$typed['template'] ?? ''][$typed['language'] ?? ''] ?? null;
			if ($template === null) {
				$said['secretary'] = $text['message-field_needed'];
			}
			else {
				list($name, $first, $prompt) = $template;
				$answer = $secretaries->save(null, ['secretary_name' => $name, 'extension' => trim($typed['extension'] ?? ''), 'language' => $typed['language'], 'first_message' => $first, 'system_prompt' => $prompt]);
				$done = $answer->ok();
				$said['secretary'] = $done ? '' : trim(implode(' ', $words->by_field($answer, [])) ?: $words->problem($answer, $api->url()));
			}
		}
		if ($done) {
			header('Location: first_run.php');
			exit;
		}
	}

//see how far it is
	$health = $api->health();
	$columns = $api->common('GET', '/columns');
	$module = voice_secretary_dialplan::audio_module();
	$rows = $providers->list();
	$numbers = (new voice_secretary_overview($of))->numbers();
	$first = $numbers[0] ?? null;
	$state = [
		'controller' => $health->ok() && $columns->ok(),
		'audio' => $module === null ? null : true,
		'dialplan' => $dialplan->installed(),
		//whether a key is any good is seen when it is tried, by the page itself
		'provider' => null,
		'secretary' => $first === null ? null : true,
		'talk' => null,
	];

//create tokens
	$object = new token;
	$token = $object->create($_SERVER['PHP_SELF']);
	$ask_token = $object->create('/app/voice_secretary/realtime_ask.php');
	$hidden = "<input type='hidden' name='".$token['name']."' value='".$token['hash']."'>";

//include the header
	$document['title'] = $text['title-first_run'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";

//show the content
	$begin = function (string $step, string $seen) use ($state, $text, $said) {
		$class = !empty($said[$step]) || $state[$step] === false ? 'vs_failed' : ($state[$step] === true ? 'vs_done' : '');
		echo "<li class='".$class."' id='step_".$step."'><b>".escape($text['first-'.$step])."</b><div class='vs_about'>".escape($seen)."</div>\n";
		if (!empty($said[$step])) {
			echo "<div class='vs_error' role='alert'>".escape($said[$step])."</div>\n";
		}
	};
	echo "<div class='action_bar' id='action_bar'>\n	<div class='heading'><b>".escape($text['title-first_run'])."</b></div>\n	<div class='actions'>\n";
	echo button::create(['type' => 'button', 'label' => $text['button-back'], 'icon' => $settings->get('theme', 'button_icon_back'), 'id' => 'btn_back', 'link' => 'secretaries.php']);
	echo "	</div>\n	<div style='clear: both;'></div>\n</div>\n".escape($text['title_description-first_run'])."\n<br /><br />\n<div class='card'>\n<ol class='vs_steps'>\n";

	$begin('controller', $state['controller'] ? sprintf($text['first-controller_seen'], $api->url()) : $words->problem($health->ok() ? $columns : $health, $api->url()));
	echo "</li>\n";

	$begin('audio', $module === null ? $text['first-audio_unknown'] : ($module === '' ? $text['first-audio_none'] : sprintf($text['first-audio_seen'], $module)));
	echo "</li>\n";

	$begin('dialplan', $text[$state['dialplan'] ? 'first-dialplan_seen' : 'first-dialplan_none']);
	if (!$state['dialplan']) {
		echo "<form method='post'>".$hidden."<input type='hidden' name='step' value='dialplan'>".button::create(['type' => 'submit', 'label' => $text['button-install'], 'icon' => 'download', 'id' => 'btn_dialplan'])."</form>\n";
	}
	echo "</li>\n";

	$begin('provider', $rows ? implode(', ', array_column($rows, 'provider_label')) : $text['first-provider_none']);
	foreach ($rows as $row) {
		echo "<div><button type='button' class='btn btn-default vs_test' data-id='".escape($row['voice_realtime_provider_uuid'])."'>".escape($text['button-test'].' '.$row['provider_label'])."</button> <span role='status' class='vs_said'></span></div>\n";
		if (permission_exists('voice_secretary_provider_edit')) {
			echo "<details><summary>".escape($text['first-another_key'])."</summary><form method='post' autocomplete='off'>".$hidden."<input type='hidden' name='step' value='provider'><input type='hidden' name='id' value='".escape($row['voice_realtime_provider_uuid'])."'>\n<label>".escape($text['label-credential'])." <input class='formfld' type='password' name='credential' autocomplete='new-password'></label> ".button::create(['type' => 'submit', 'label' => $text['button-save'], 'id' => 'btn_key_'.$row['voice_realtime_provider_uuid'], 'disabled' => !$state['controller']])."</form></details>\n";
		}
	}
	if (!$rows && permission_exists('voice_secretary_provider_add')) {
		echo "<form method='post' autocomplete='off'>".$hidden."<input type='hidden' name='step' value='provider'>\n<label>".escape($text['label-realtime_provider'])." <select class='formfld' name='realtime_provider' id='realtime_provider'>";
		foreach ($registry->labels() as $kind => $label) {
			echo "<option value='".escape($kind)."'".(($typed['realtime_provider'] ?? 'openai') === $kind ? " selected='selected'" : '').'>'.escape($label).'</option>';
		}
		echo "</select></label> <label>".escape($text['label-credential'])." <input class='formfld' type='password' name='credential' id='credential' autocomplete='new-password'></label> <label>".escape($text['first-agent_id'])." <input class='formfld' type='text' name='agent_id' style='width: 150px; min-width: 150px;'></label> ".button::create(['type' => 'submit', 'label' => $text['button-save'], 'id' => 'btn_provider', 'disabled' => !$state['controller']])."</form>\n";
	}
	echo "</li>\n";

	$begin('secretary', $first === null ? $text['first-secretary_none'] : implode(', ', array_map(function ($row) { return $row['extension'].' '.$row['secretary_name']; }, $numbers)));
	if ($first === null && permission_exists('voice_secretary_add')) {
		echo "<form method='post'>".$hidden."<input type='hidden' name='step' value='secretary'>\n<label>".escape($text['label-template'])." <select class='formfld' name='template' id='template'>";
		foreach (array_keys($templates) as $one) {
			echo "<option value='".$one."'".(($typed['template'] ?? '') === $one ? " selected='selected'" : '').'>'.escape($text['option-template_'.$one]).'</option>';
		}
		echo "</select></label> <label>".escape($text['label-language'])." <select class='formfld' name='language' id='language'>";
		$usual = ['pt-br' => 'pt-BR', 'es-cl' => 'es-CL'][$settings->get('domain', 'language', 'en-us')] ?? 'en';
		foreach (['en' => 'English', 'pt-BR' => 'Português', 'es-CL' => 'Español'] as $one => $label) {
			echo "<option value='".$one."'".(($typed['language'] ?? $usual) === $one ? " selected='selected'" : '').'>'.$label.'</option>';
		}
		echo "</select></label> <label>".escape($text['label-extension'])." <input class='formfld' type='text' name='extension' id='extension' maxlength='15' style='width: 90px; min-width: 90px;' value='".escape($typed['extension'] ?? '8001')."'></label> ".button::create(['type' => 'submit', 'label' => $text['button-create'], 'id' => 'btn_secretary', 'disabled' => !$state['controller']])."</form>\n";
	}
	echo "</li>\n";

	$begin('talk', $text['first-talk_how']);
	if ($first !== null && permission_exists('voice_secretary_talk')) {
		echo button::create(['type' => 'button', 'label' => $text['button-talk'], 'icon' => 'microphone', 'id' => 'btn_talk', 'link' => 'talk_realtime.php?id='.urlencode($first['secretary_realtime_uuid'])])."\n";
	}
	echo "</li>\n</ol>\n</div>\n";
	echo "<script>window.voice_secretary = ".json_encode(['ask' => 'realtime_ask.php', 'token_name' => $ask_token['name'], 'token' => $ask_token['hash'], 'try' => $state['controller'], 'wait' => $text['script-testing'], 'failed' => $text['script-failed']], JSON_HEX_TAG | JSON_HEX_AMP)."</script>\n<script src='resources/javascript/ask.js'></script><script src='resources/javascript/provider_test.js'></script>\n";

//include the footer
	require_once "resources/footer.php";

?>
