<?php

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";

//check permissions
	if (!permission_exists('voice_secretary_overview_view')) {
		echo "access denied";
		exit;
	}

//add multi-lingual support
	$language = new text;
	$text = $language->get();

	$of = ['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']];
	$overview = new voice_secretary_overview($of);
	$api = new voice_secretary_api($database, (string) $_SESSION['domain_uuid']);
	$words = new voice_secretary_words($text);
	$limits = $overview->limits();
	$zone = voice_secretary_overview::zone($settings, $limits);
	$today = $overview->today($zone);
	$days = $overview->days($zone);
	$latency = $overview->latency();
	$spent = $overview->spent($zone);
	$spent_on = $overview->spent_on($zone);
	$health = $api->health();
	$labels = (new voice_secretary_registry($api))->labels();
	$doubts = voice_secretary_doubts::of($overview, $api, $health, $text);

//include the header
	$document['title'] = $text['title-overview'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";

//show the content
	echo "<div class='action_bar' id='action_bar'>\n	<div class='heading'><b>".escape($text['title-overview'])."</b></div>\n	<div class='actions'>\n";
	echo button::create(['type' => 'button', 'label' => $text['button-secretaries'], 'icon' => 'headset', 'link' => 'secretaries.php']);
	echo button::create(['type' => 'button', 'label' => $text['button-conversations'], 'icon' => 'comments', 'link' => 'conversations_realtime.php']);
	echo button::create(['type' => 'button', 'label' => $text['button-refresh'], 'icon' => $settings->get('theme', 'button_icon_refresh'), 'link' => 'overview_realtime.php']);
	echo "	</div>\n	<div style='clear: both;'></div>\n</div>\n".escape($text['title_description-overview'])."\n<br /><br />\n";

	echo "<div class='vs_cards'>\n";
	echo "<div class='vs_card'><small>".escape($text['label-calls_now'])."</small><b class='vs_big' id='calls_now'>".voice_secretary_words::figure($text, $overview->now())."</b><a href='conversations_realtime.php?outcome=running'>".escape($text['label-show'])."</a></div>\n";
	echo "<div class='vs_card'><small>".escape($text['label-calls_today'])."</small><b class='vs_big' id='calls_today'>".voice_secretary_words::figure($text, array_sum($today))."</b><small>";
	echo implode(' · ', array_map(function ($outcome, $calls) use ($text) { return escape(($text['label-outcome_'.$outcome] ?? $outcome).' '.$calls); }, array_keys($today), $today))."</small></div>\n";
	$p50 = $latency['p50'] ?? null;
	echo "<div class='vs_card'><small>".escape($text['label-first_word'])."</small><b class='vs_big'>".($p50 === null ? '–' : voice_secretary_words::figure($text, (int) $p50).' ms')."</b><small>".($p50 === null ? escape($text['label-no_answers']) : 'p95 '.voice_secretary_words::figure($text, (int) $latency['p95']).' ms · '.escape(sprintf($text['label-answers'], voice_secretary_words::figure($text, (int) $latency['answers']))))."</small></div>\n";
	$warning = (int) ($limits['budget_warning_percent'] ?? 80);
	echo "<div class='vs_card'><small>".escape($text['label-monthly_budget_usd'])."</small>".voice_secretary_overview::meter((float) ($spent['month'] ?? 0), isset($limits['monthly_budget_usd']) ? (float) $limits['monthly_budget_usd'] : null, $warning, $text)."<small id='spent_on'>".implode(' · ', array_map(function ($row) use ($text) { return escape(($text['label-purpose_'.$row['purpose']] ?? $row['purpose']).' '.voice_secretary_words::usd($text, (float) $row['cost'], (float) $row['cost'] < 0.01 ? 4 : 2)); }, $spent_on))."</small><small>".escape($text['label-daily_budget_usd'])."</small>".voice_secretary_overview::meter((float) ($spent['day'] ?? 0), isset($limits['daily_budget_usd']) ? (float) $limits['daily_budget_usd'] : null, $warning, $text)."</div>\n";
	echo "</div>\n";

	echo "<div class='card'>\n<h3>".escape($text['header-days'])."</h3>\n<div style='height: 230px; max-width: 1100px;'><canvas id='chart_days' role='img' aria-label='".escape($text['header-days'])."'></canvas></div>\n</div>\n<br>\n";

	echo "<div class='card'>\n<h3>".escape($text['header-health'])."</h3>\n<table class='vs_facts'>\n<tr><th>".escape($text['label-controller'])."</th><td class='".($health->ok() ? 'vs_good_text' : 'vs_bad_text')."' id='controller'>".escape($health->ok() ? ($text['label-status_'.($health->data['status'] ?? '')] ?? $text['label-status_healthy']) : $words->problem($health, $api->url()))."</td></tr>\n";
	foreach (array_filter($health->data['providers'] ?? [], 'is_string') as $kind => $state) {
		echo "<tr><th>".escape($labels[$kind] ?? $kind)."</th><td>".escape($text['label-health_'.$state] ?? $state)."</td></tr>\n";
	}
	echo "</table>\n<h3>".escape($text['header-doubts'])."</h3>\n";
	if (!$doubts) {
		echo "<div class='vs_notice vs_good'>".escape($text['message-no_doubts'])."</div>\n";
	}
	foreach ($doubts as $doubt) {
		echo "<div class='vs_notice".($doubt['bad'] ? ' vs_bad' : '')."'><b>".escape($doubt['about'])."</b> ".escape($doubt['said'])."</div>\n";
	}
	foreach ($overview->errors() as $row) {
		echo "<div class='vs_notice vs_bad'><b>".escape(sprintf($text['label-calls_with_error'], (int) $row['calls'], $text['message-error_'.$row['error_code']] ?? $row['error_code']))."</b><br>".escape($text['message-mend_'.$row['error_code']] ?? '').(empty($row['reason']) ? '' : "<div class='vs_about'>".escape($row['reason']).'</div>')."</div>\n";
	}
	echo "</div>\n";

	echo "<script src='".PROJECT_PATH."/resources/chartjs/chart.min.js'></script>\n";
	echo "<script>window.voice_secretary = ".json_encode(['days' => array_column($days, 'day'), 'calls' => array_map('intval', array_column($days, 'calls')), 'failed' => array_map('intval', array_column($days, 'failed')), 'cost' => array_map('floatval', array_column($days, 'cost')), 'say' => ['calls' => $text['label-answered'], 'failed' => $text['label-failed'], 'cost' => $text['label-estimated_cost']]], JSON_HEX_TAG | JSON_HEX_AMP)."</script>\n";
	echo "<script src='resources/javascript/overview.js'></script>\n";

//include the footer
	require_once "resources/footer.php";

?>
