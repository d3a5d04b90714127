<?php

//includes files
	require_once dirname(__DIR__, 4) . "/resources/require.php";
	require_once "resources/check_auth.php";

//check permissions
	if (!permission_exists('voice_secretary_overview_view')) {
		echo "access denied";
		exit;
	}

//convert to a key
	$widget_key = str_replace(' ', '_', strtolower($widget_name ?? 'voice_secretary'));

//add multi-lingual support
	$language = new text;
	$text = $language->get($settings->get('domain', 'language', 'en-us'), 'app/voice_secretary');

//get the numbers
	$voice_overview = new voice_secretary_overview(['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']]);
	$voice_now = $voice_overview->now();
	$voice_today = $voice_overview->today(voice_secretary_overview::zone($settings, $voice_overview->limits()));

//show the widget
	echo "<div class='hud_box'>\n";
	echo "	<div class='hud_content' onclick=\"document.location.href='".PROJECT_PATH."/app/voice_secretary/overview_realtime.php';\">\n";
	echo "		<span class='hud_title'><a href='".PROJECT_PATH."/app/voice_secretary/overview_realtime.php'>".escape($text['title-voice_secretary'])."</a></span>\n";
	echo "		<span class='hud_stat'>".number_format($voice_now)."</span>\n";
	echo "		<span class='hud_description'>".escape(sprintf($text['label-widget_today'], number_format(array_sum($voice_today))))."</span>\n";
	echo "	</div>\n";
	echo "	<span class='hud_expander' onclick=\"$('#hud_voice_secretary_details').slideToggle('fast');\"><span class='fas fa-ellipsis-h'></span></span>\n";
	echo "	<div class='hud_details hud_box' id='hud_voice_secretary_details'>\n";
	echo "		<table class='tr_hover' width='100%' cellpadding='0' cellspacing='0' border='0'>\n";
	foreach ($voice_today as $voice_outcome => $voice_calls) {
		echo "			<tr><td class='hud_text'>".escape($text['label-outcome_'.$voice_outcome] ?? $voice_outcome)."</td><td class='hud_text' style='text-align: right;'>".number_format((int) $voice_calls)."</td></tr>\n";
	}
	echo "		</table>\n	</div>\n</div>\n";
	unset($voice_overview, $voice_now, $voice_today, $voice_outcome, $voice_calls);

?>
