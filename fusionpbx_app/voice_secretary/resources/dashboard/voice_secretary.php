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
	$voice_page = PROJECT_PATH."/app/voice_secretary/overview_realtime.php";
	echo "<div class='hud_box'>\n";
	echo "	<div class='hud_content' ".(($widget_details_state ?? '') == 'disabled' ? '' : "onclick=\"$('#hud_voice_secretary_details').slideToggle('fast');\"").">\n";
	echo "		<span class='hud_title'><a onclick=\"document.location.href='".$voice_page."'\">".escape($text['title-voice_secretary'])."</a></span>\n";
	if (($widget_chart_type ?? '') === 'number') {
		echo "		<span class='hud_stat'>".voice_secretary_words::figure($text, $voice_now)."</span>\n";
	}
	else {
		echo "		<div style='position: relative; display: inline-block;'>\n";
		echo "			<span class='hud_stat'><i class='fas ".escape($widget_icon ?? 'fa-headset')."'></i></span>\n";
		echo "			<span style=\"background-color: ".escape($widget_number_background_color ?? '#2e7d32')."; color: ".escape($widget_number_text_color ?? '#ffffff')."; font-size: 12px; font-weight: bold; position: absolute; top: 23px; left: 24.5px; padding: 2px 7px 1px 7px; border-radius: 10px; white-space: nowrap;\">".voice_secretary_words::figure($text, $voice_now)."</span>\n";
		echo "		</div>\n";
	}
	echo "	</div>\n";
	echo "	<span class='hud_expander' onclick=\"$('#hud_voice_secretary_details').slideToggle('fast');\"><span class='fas fa-ellipsis-h'></span></span>\n";
	echo "	<div class='hud_details hud_box' id='hud_voice_secretary_details'>\n";
	echo "		<table class='tr_hover' width='100%' cellpadding='0' cellspacing='0' border='0'>\n";
	foreach ($voice_today as $voice_outcome => $voice_calls) {
		echo "			<tr><td class='hud_text'>".escape($text['label-outcome_'.$voice_outcome] ?? $voice_outcome)."</td><td class='hud_text' style='text-align: right;'>".voice_secretary_words::figure($text, (int) $voice_calls)."</td></tr>\n";
	}
	echo "		<tr><td class='hud_text' colspan='2'>".voice_secretary_words::figure($text, $voice_now).' '.escape(sprintf($text['label-widget_today'], voice_secretary_words::figure($text, array_sum($voice_today))))."</td></tr>\n		</table>\n	</div>\n</div>\n";
	unset($voice_page, $voice_overview, $voice_now, $voice_today, $voice_outcome, $voice_calls);

?>
