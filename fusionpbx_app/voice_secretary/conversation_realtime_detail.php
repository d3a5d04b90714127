<?php

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";

//check permissions
	if (!permission_exists('voice_secretary_conversation_view')) {
		echo "access denied";
		exit;
	}

//add multi-lingual support
	$language = new text;
	$text = $language->get();

	$of = ['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']];
	$conversations = new voice_secretary_conversation($of);
	$overview = new voice_secretary_overview($of);
	$zone = voice_secretary_overview::zone($settings, $overview->limits());
	$uuid = is_string($_GET['id'] ?? null) ? $_GET['id'] : '';
	$row = $conversations->find($uuid, $zone);
	if (!$row) {
		message::add($text['message-no_such_conversation'], 'negative');
		header('Location: conversations_realtime.php');
		exit;
	}

//send the recording
	$recording = $conversations->recording($row);
	if (($_GET['audio'] ?? '') === 'true') {
		session_write_close();
		if (!empty($row['record_name'])) {
			(new voice_secretary_api($database, $_SESSION['domain_uuid']))->relay('/conversations/'.$uuid.'/recording', $_SERVER['HTTP_RANGE'] ?? '');
			exit;
		}
		(new voice_secretary_recording($recording))->send($_SERVER['HTTP_RANGE'] ?? '');
		exit;
	}

	$turns = $conversations->turns($uuid);
	$functions = $conversations->functions($uuid);
	$transfers = $conversations->transfers($uuid);
	$usage = $conversations->usage($uuid);
	$running = $row['ended_at'] === null;
	$outcome = $running ? 'running' : ($row['outcome'] ?? 'completed');

//create the token of what the script asks
	$object = new token;
	$ask_token = $object->create('/app/voice_secretary/realtime_ask.php');

//include the header
	$document['title'] = $text['title-conversation'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";

//show the content
	echo "<div class='action_bar' id='action_bar'>\n	<div class='heading'><b>".escape($text['title-conversation'].': '.($row['caller_id'] ?? '–').' → '.$row['destination'])."</b></div>\n	<div class='actions'>\n";
	echo button::create(['type' => 'button', 'label' => $text['button-back'], 'icon' => $settings->get('theme', 'button_icon_back'), 'id' => 'btn_back', 'style' => 'margin-right: 15px;', 'link' => 'conversations_realtime.php']);
	if (!$running && !empty($row['caller_id']) && permission_exists('voice_secretary_conversation_erase')) {
		echo button::create(['type' => 'button', 'label' => $text['button-erase_caller'], 'icon' => 'user-slash', 'id' => 'btn_erase_caller', 'link' => 'erase_caller_realtime.php?caller='.urlencode($row['caller_id'])]);
	}
	if ($running && permission_exists('voice_secretary_conversation_control')) {
		echo button::create(['type' => 'button', 'label' => $text['button-hang_up'], 'icon' => 'phone-slash', 'id' => 'btn_hang_up']);
	}
	echo "	</div>\n	<div style='clear: both;'></div>\n</div>\n";
	echo "<br />\n";
	if ($running) {
		echo "<div class='vs_notice vs_good' role='status' id='live'>".escape($text['message-live'])."</div>\n";
	}
	if (!empty($row['error_code'])) {
		$code = $row['error_code'];
		echo "<div class='vs_notice vs_bad'><b>".escape($text['message-error_'.$code] ?? $code)."</b><br>".escape($text['message-mend_'.$code] ?? '').(empty($row['reason']) ? '' : "<div class='vs_about'>".escape($code.': '.$row['reason']).'</div>')."</div>\n";
	}
	elseif (in_array($outcome, ['refused', 'fallback'], true) && !empty($row['end_cause'])) {
		echo "<div class='vs_notice'><b>".escape($text['message-check_'.$row['end_cause']] ?? $row['end_cause'])."</b>".(empty($row['reason']) ? '' : "<div class='vs_about'>".escape($row['reason']).'</div>')."</div>\n";
	}

	echo "<div class='vs_cards'>\n";
	$facts = [
		'outcome' => ($text['label-outcome_'.$outcome] ?? $outcome).(empty($row['transfer_destination']) ? '' : ' → '.$row['transfer_destination']),
		'started_at' => $row['started'],
		'duration_seconds' => $row['duration_seconds'] === null ? '–' : sprintf('%d:%02d', intdiv((int) $row['duration_seconds'], 60), $row['duration_seconds'] % 60),
		'avg_latency_ms' => $row['avg_latency_ms'] === null ? '–' : voice_secretary_words::figure($text, (int) $row['avg_latency_ms']).' ms',
		'interruptions' => (string) $row['interruptions'],
		'estimated_cost' => $row['estimated_cost'] === null ? '–' : voice_secretary_words::usd($text, (float) $row['estimated_cost'], 4),
	];
	foreach ($facts as $name => $value) {
		echo "<div class='vs_card'><small>".escape($text['label-'.$name])."</small><b class='vs_big' id='fact_".$name."'>".escape($value)."</b></div>\n";
	}
	echo "</div>\n<div class='card'>\n";

	if ($running && permission_exists('voice_secretary_conversation_control')) {
		echo "<h3>".escape($text['header-control'])."</h3>\n<p><label>".escape($text['label-whisper'])." <input class='formfld' type='text' id='whisper' maxlength='1000' style='width: 380px;'></label> <label class='vs_about'><input type='checkbox' id='respond' checked='checked'> ".escape($text['label-respond_now']).'</label> ';
		echo button::create(['type' => 'button', 'label' => $text['button-whisper'], 'icon' => 'comment-dots', 'id' => 'btn_tell'])."</p>\n";
		echo "<p><label>".escape($text['label-my_extension'])." <select class='formfld' id='my_extension'>";
		foreach ((new voice_secretary_realtime($of))->destinations()['extensions'] ?? [] as $number => $name) {
			echo "<option value='".escape((string) $number)."'>".escape(trim($number.' '.$name)).'</option>';
		}
		echo '</select></label> '.button::create(['type' => 'button', 'label' => $text['button-listen'], 'icon' => 'ear-listen', 'id' => 'btn_listen']).' '.button::create(['type' => 'button', 'label' => $text['button-takeover'], 'icon' => 'phone-volume', 'id' => 'btn_takeover'])."</p>\n";
	}
	$recorded = $recording !== '' || !empty($row['record_name']) && !$running;
	if ($recorded) {
		echo "<h3>".escape($text['header-recording'])."</h3>\n<canvas id='wave' width='900' height='70' style='max-width: 100%;' role='img' aria-label='".escape($text['header-recording'])."'></canvas><br><audio id='player' controls preload='metadata' src='conversation_realtime_detail.php?id=".urlencode($uuid)."&amp;audio=true'></audio>\n";
	}
	echo "<h3>".escape($text['header-transcript'])."</h3>\n<div class='vs_turns' id='turns' aria-live='".($running ? 'polite' : 'off')."'>\n";
	foreach ($turns as $turn) {
		$agent = $turn['role'] !== 'user';
		echo "<div class='vs_turn".($agent ? ' vs_agent' : '').($turn['interrupted'] === 'true' ? ' vs_cut' : '')."' data-number='".(int) $turn['turn_number']."'><small>".escape($text[$agent ? 'label-agent' : 'label-caller']).' · ';
		$at = sprintf('%d:%02d', intdiv(max(0, (int) $turn['at_ms']), 60000), intdiv(max(0, (int) $turn['at_ms']), 1000) % 60);
		echo $recorded ? "<button type='button' class='btn btn-link vs_seek' data-ms='".max(0, (int) $turn['seek_ms'])."'>".$at.'</button>' : $at;
		echo ($turn['total_ms'] === null ? '' : ' · '.voice_secretary_words::figure($text, (int) $turn['total_ms']).' ms').($turn['interrupted'] === 'true' ? ' · '.escape($text['label-interrupted']) : '')."</small><span class='vs_lines'>".escape($turn['content'] === '' ? $text['label-not_understood'] : $turn['content'])."</span></div>\n";
	}
	echo "</div>\n";
	if (!$turns && !$running) {
		echo "<div class='vs_empty'>".escape($text['message-no_turns'])."</div>\n";
	}

	$answers = array_filter($turns, function ($turn) { return $turn['total_ms'] !== null; });
	echo "<div id='latency'".($answers ? '' : ' hidden')."><h3>".escape($text['header-latency'])."</h3>\n<p class='vs_key vs_about'>";
	foreach (['network', 'model', 'buffer', 'playout'] as $part) {
		echo "<i class='vs_".$part."'></i>".escape($text['label-part_'.$part]);
	}
	echo "</p>\n<table class='vs_facts' style='width: 100%; max-width: 900px;'>\n";
	$longest = max(array_merge([1], array_map(function ($turn) { return (int) $turn['total_ms']; }, $answers)));
	foreach ($answers as $turn) {
		echo "<tr><th style='width: 60px;'>".(int) $turn['turn_number']."</th><td style='width: 90px;'>".voice_secretary_words::figure($text, (int) $turn['total_ms'])." ms</td><td><div class='vs_bar' style='width: ".round($turn['total_ms'] / $longest * 100, 1)."%'>";
		foreach (['network', 'model', 'buffer', 'playout'] as $part) {
			$ms = (int) $turn[$part.'_ms'];
			echo $ms > 0 ? "<i class='vs_".$part."' style='flex: ".$ms."' title='".escape($text['label-part_'.$part]).' '.$ms." ms'></i>" : '';
		}
		echo "</div></td></tr>\n";
	}
	echo "</table></div>\n";

	if ($functions) {
		echo "<h3>".escape($text['header-functions'])."</h3>\n<table class='list'>\n<tr class='list-header'><th>".escape($text['label-function'])."</th><th>".escape($text['label-arguments'])."</th><th>".escape($text['label-result'])."</th><th>".escape($text['label-status'])."</th><th class='right'>ms</th></tr>\n";
		foreach ($functions as $one) {
			echo "<tr class='list-row'><td>".escape($one['function_name'])."</td><td style='white-space: normal;'>".escape(mb_substr((string) $one['arguments'], 0, 500))."</td><td style='white-space: normal;'>".escape(mb_substr((string) ($one['error'] ?: $one['result']), 0, 500))."</td><td>".escape($text['label-function_'.$one['status']] ?? $one['status'])."</td><td class='right'>".escape($one['duration_ms'])."</td></tr>\n";
		}
		echo "</table>\n";
	}
	if ($transfers) {
		echo "<h3>".escape($text['header-transfers_made'])."</h3>\n<table class='list'>\n<tr class='list-header'><th>".escape($text['label-destination_of_transfer'])."</th><th>".escape($text['label-reason'])."</th><th>".escape($text['label-status'])."</th></tr>\n";
		foreach ($transfers as $one) {
			echo "<tr class='list-row'><td>".escape($one['destination'])."</td><td style='white-space: normal;'>".escape($one['reason'])."</td><td>".escape(($text['label-transfer_'.$one['status']] ?? $one['status']).(empty($one['hangup_cause']) ? '' : ' ('.$one['hangup_cause'].')'))."</td></tr>\n";
		}
		echo "</table>\n";
	}
	if ($usage) {
		echo "<h3>".escape($text['header-usage'])."</h3>\n<table class='list'>\n<tr class='list-header'><th>".escape($text['label-purpose'])."</th><th>".escape($text['label-provider'])."</th><th>".escape($text['label-model'])."</th><th class='right'>".escape($text['label-input_tokens'])."</th><th class='right'>".escape($text['label-output_tokens'])."</th><th class='right'>".escape($text['label-estimated_cost'])."</th></tr>\n";
		foreach ($usage as $one) {
			echo "<tr class='list-row'><td>".escape($text['label-purpose_'.$one['purpose']] ?? $one['purpose'])."</td><td>".escape(empty($one['provider_label']) ? $one['provider'] : $one['provider_label'].' ('.$one['provider'].')')."</td><td>".escape($one['model'])."</td><td class='right'>".voice_secretary_words::figure($text, (int) $one['input_tokens'])."</td><td class='right'>".voice_secretary_words::figure($text, (int) $one['output_tokens'])."</td><td class='right'>".($one['cost'] === null ? escape($text['label-no_price']) : voice_secretary_words::usd($text, (float) $one['cost'], 4))."</td></tr>\n";
		}
		echo "</table>\n";
	}
	echo "</div>\n";
	echo "<script>window.voice_secretary = ".json_encode(['ask' => 'realtime_ask.php', 'token_name' => $ask_token['name'], 'token' => $ask_token['hash'], 'id' => $uuid, 'running' => $running, 'answered' => $row['answered_at'] ?? $row['started_at'],
		'say' => ['caller' => $text['label-caller'], 'agent' => $text['label-agent'], 'interrupted' => $text['label-interrupted'], 'unclear' => $text['label-not_understood'], 'polling' => $text['message-polling'], 'live' => $text['message-live'], 'ended' => $text['message-ended'], 'failed' => $text['script-failed'], 'sure' => $text['confirm-hang_up'], 'sure_takeover' => $text['confirm-takeover']]], JSON_HEX_TAG | JSON_HEX_AMP)."</script>\n";
	echo "<script src='resources/javascript/ask.js'></script><script src='resources/javascript/conversation.js'></script>\n";

//include the footer
	require_once "resources/footer.php";

?>
