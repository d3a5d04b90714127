<?php

//the form of a secretary; secretary_edit.php has $form, $text, $shown and the rest
	if (!isset($form)) {
		exit;
	}

	$kind_labels = $registry->labels();
	$rows_of_providers = ['' => $text['option-first_provider']];
	foreach ($provider_rows as $row) {
		$rows_of_providers[$row['voice_realtime_provider_uuid']] = $row['provider_label'].' ('.($kind_labels[$row['realtime_provider']] ?? $row['realtime_provider']).')'.($row['enabled'] === 'true' ? '' : ' – '.$text['label-disabled']);
	}
	$languages = ['' => $text['option-language_found'], 'en-US' => 'English (US)', 'en-GB' => 'English (UK)', 'pt-BR' => 'Português (Brasil)', 'pt-PT' => 'Português (Portugal)', 'es-CL' => 'Español (Chile)', 'es-MX' => 'Español (México)', 'es-ES' => 'Español (España)', 'fr-FR' => 'Français', 'de-DE' => 'Deutsch', 'it-IT' => 'Italiano'];
	$numbers = [];
	foreach ($destinations as $kind => $found) {
		foreach ($found as $number => $name) {
			$numbers[$text['label-'.$kind]][(string) $number] = $number.($name === '' || $name === (string) $number ? '' : ' – '.$name);
		}
	}
	$handed = function (string $name) use ($form, $numbers, $text) {
		return $form->select($name, ['' => $text['option-dialplan']] + $numbers);
	};

	$more = function (string $section) use ($form, $columns, $further, $settings) {
		return $form->further($columns, voice_secretary_fields::section($further, $section));
	};

	echo "<div class='card'>\n";

	echo $form->section('who');
	echo $form->input('secretary_name', ['required' => true], 'text', ['maxlength' => '255', 'required' => 'required']);
	echo $form->input('extension', [], 'text', ['maxlength' => '15', 'autocomplete' => 'off']);
	echo $form->select('language', $languages);
	$modes = '';
	foreach (voice_secretary_realtime::MODES as $one) {
		$modes .= "<label class='vs_mode'><input type='radio' name='processing_mode' value='".$one."'".($shown['processing_mode'] === $one ? " checked='checked'" : '').'> <b>'.escape($text['option-'.$one]).'</b><span>'.escape($text['description-mode_'.$one])."</span></label>\n";
	}
	echo $form->row('processing_mode', "<fieldset class='vs_modes' aria-labelledby='label_processing_mode'>".$modes.'</fieldset>', ['bare' => true, 'about' => '']);
	echo $form->toggle('enabled');
	echo $form->end();

	echo $form->section('provider');
	echo $form->select('voice_realtime_provider_uuid', $rows_of_providers, ['modes' => 'realtime auto', 'after' => permission_exists('voice_secretary_provider_add') ? " <a href='providers_realtime_edit.php'>".escape($text['label-add_provider']).'</a>' : '']);
	echo $form->select('realtime_provider', $kind_labels, ['modes' => 'realtime auto', 'when' => 'no-provider']);
	echo $form->row('features', "<div id='features' class='vs_features'></div>", ['bare' => true, 'modes' => 'realtime auto', 'about' => '']);
	echo $form->suggested('model', ['modes' => 'realtime auto']);
	$preview = button::create(['type' => 'button', 'label' => $text['button-preview'], 'icon' => 'volume-high', 'id' => 'btn_preview', 'disabled' => $away])." <audio id='preview' controls hidden></audio> <span id='preview_said' class='vs_about' role='status'></span>";
	echo $form->suggested('voice_id', ['modes' => 'realtime auto', 'after' => ' '.$preview]);
	echo $form->range('voice_speed', '0.25', '1.5', '0.05', ['modes' => 'realtime auto']);
	echo $form->suggested('transcription_model', ['modes' => 'realtime auto']);
	echo $form->select('noise_reduction', ['none' => $text['option-none'], 'near_field' => $text['option-near_field'], 'far_field' => $text['option-far_field']], ['modes' => 'realtime auto']);
	$real = $last_month === null ? $text['message-no_last_month'] : sprintf($text['message-last_month'], voice_secretary_words::figure($text, (int) $last_month['calls']), voice_secretary_words::figure($text, ((float) $last_month['seconds']) / 60, 0), voice_secretary_words::figure($text, (float) $last_month['cost'], 2));
	$estimate = "<div class='vs_estimate'><label>".escape($text['label-calls_per_month'])." <input class='formfld' type='text' inputmode='numeric' id='estimate_calls' value='".($last_month === null ? '200' : (int) $last_month['calls'])."' style='width: 80px; min-width: 80px;'></label> "
		."<label>".escape($text['label-minutes_per_call'])." <input class='formfld' type='text' inputmode='numeric' id='estimate_minutes' value='3' style='width: 60px; min-width: 60px;'></label> "
		."<b id='estimate' role='status'></b><div class='vs_about'>".escape($real).'</div></div>';
	echo $form->row('estimate', $estimate, ['bare' => true, 'modes' => 'realtime auto']);
	echo $form->end();

	echo $form->section('words');
	echo $form->area('system_prompt', 12, ['count' => true]);
	echo $form->area('first_message', 2, ['count' => true]);
	echo $form->area('farewell_message', 2);
	echo $form->area('silence_prompt', 2);
	echo $more('words').$form->end();

	echo $form->section('transfers');
	require __DIR__."/transfer_rules_form.php";
	echo $more('transfers').$form->end();

	echo $form->section('functions_offered', false).$more('functions_offered');
	$offered = is_array($shown['functions_config'] ?? null) ? $shown['functions_config'] : [];
	$boxes = '';
	foreach (voice_secretary_fields::FUNCTIONS as $one) {
		$boxes .= "<label><input type='checkbox' name='functions_config[]' value='".$one."'".(in_array($one, $offered, true) ? " checked='checked'" : '').'> '.escape($text['option-'.$one]).'</label> ';
	}
	echo $form->row('functions_config', "<fieldset class='vs_modes' aria-labelledby='label_functions_config'>".$boxes.'</fieldset>', ['bare' => true]);
	echo $form->end();

	echo $form->section('hours');
	require __DIR__."/business_hours_form.php";
	echo $form->input('time_zone', [], 'text', ['maxlength' => '64', 'list' => 'zones', 'autocomplete' => 'off']);
	echo "<datalist id='zones'>".implode('', array_map(function ($zone) { return "<option value='".escape($zone)."'>"; }, DateTimeZone::listIdentifiers()))."</datalist>\n";
	echo $handed('closed_extension').$more('hours');
	echo $form->end();

	echo $form->section('turns', false);
	echo $form->select('vad_mode', ['server' => $text['option-server'], 'semantic' => $text['option-semantic']]);
	echo $form->range('vad_threshold', '0', '1', '0.05', ['when' => 'server']);
	echo $form->range('silence_duration_ms', '200', '2000', '50', ['when' => 'server', 'unit' => ' ms']);
	echo $form->select('vad_eagerness', ['auto' => $text['option-eager_auto'], 'low' => $text['option-low'], 'medium' => $text['option-medium'], 'high' => $text['option-high']], ['when' => 'semantic']);
	echo $form->toggle('barge_in');
	echo $form->number('vad_prefix_padding_ms', [], 'ms');
	echo $form->number('vad_idle_timeout_ms', [], 'ms');
	echo $form->number('dtmf_pause_ms', [], 'ms');
	echo $more('turns').$form->end();

	if (voice_secretary_fields::section($further, 'recording')) {
		echo $form->section('recording', false).$more('recording').$form->end();
	}

	echo $form->section('limits', false);
	echo $form->number('max_duration_seconds', [], $text['label-seconds']);
	echo $form->number('max_turns');
	echo $form->number('max_silence_seconds', [], $text['label-seconds']);
	echo $form->number('max_concurrent_calls');
	echo $handed('fallback_extension');
	echo $handed('overflow_extension');
	if (permission_exists('voice_secretary_setting_view')) {
		echo $form->row('domain_limits', "<a href='limits_realtime.php'>".escape($text['label-domain_limits_link']).'</a>', ['bare' => true]);
	}
	echo $form->end();

	echo $form->section('expert', false);
	echo $form->select('playback_mode', ['auto' => $text['option-auto_choice'], 'unicast' => 'unicast', 'binary' => 'binary', 'json' => 'json', 'file' => 'file']);
	echo $form->select('media_mode', ['stream' => 'mod_audio_stream', 'unicast' => 'unicast']);
	echo $form->area('provider_config', 4);
	echo $more('expert').$form->end();

	echo "</div>\n<br /><br />\n";

?>
