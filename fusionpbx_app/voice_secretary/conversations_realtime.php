<?php

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";
	require_once "resources/paging.php";

//check permissions
	if (!permission_exists('voice_secretary_conversation_view')) {
		echo "access denied";
		exit;
	}

//add multi-lingual support
	$language = new text;
	$text = $language->get();

//set variables from GET parameters
	$page = is_string($_GET['page'] ?? '') && ctype_digit($_GET['page'] ?? '') ? (int) substr($_GET['page'], 0, 6) : 0;
	$order_by = in_array($_GET['order_by'] ?? '', voice_secretary_conversation::ORDERS, true) ? $_GET['order_by'] : 'started_at';
	$order = ($_GET['order'] ?? '') === 'asc' ? 'asc' : 'desc';
	$wanted = voice_secretary_conversation::wanted($_GET);

	$of = ['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']];
	$conversations = new voice_secretary_conversation($of);
	$overview = new voice_secretary_overview($of);
	$zone = voice_secretary_overview::zone($settings, $overview->limits());

//send the spreadsheet
	if (($_GET['export'] ?? '') === 'csv' && permission_exists('voice_secretary_conversation_export')) {
		session_write_close();
		header('Content-Type: text/csv; charset=utf-8');
		header('Content-Disposition: attachment; filename="conversations-'.date('Y-m-d').'.csv"');
		header('Cache-Control: no-store');
		$conversations->export($wanted, $zone, $text);
		exit;
	}

//build the query string
	$param = array_filter($wanted + ['order_by' => isset($_GET['order_by']) ? $order_by : '', 'order' => isset($_GET['order']) ? $order : '']);
	$query_string = http_build_query($param);
	$sort_query = http_build_query(array_diff_key($param, array_flip(['page', 'order_by', 'order'])));

//get the list
	$num_rows = $conversations->count($wanted, $zone);
	$rows_per_page = (int) $settings->get('domain', 'paging', 50);
	list($paging_controls, $rows_per_page) = paging($num_rows, $query_string, $rows_per_page);
	list($paging_controls_mini, $rows_per_page) = paging($num_rows, $query_string, $rows_per_page, true);
	$rows = $conversations->list($wanted, $zone, $order_by, $order, (int) $rows_per_page, (int) $rows_per_page * $page);
	$secretaries = (new voice_secretary_realtime($of))->list('', false, 'secretary_name', 'asc', 500, 0);

//include the header
	$document['title'] = $text['title-conversations'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";

//show the content
	echo "<div class='action_bar' id='action_bar'>\n	<div class='heading'><b>".escape($text['title-conversations'])."</b><div class='count'>".voice_secretary_words::figure($text, $num_rows)."</div></div>\n	<div class='actions'>\n";
	echo button::create(['type' => 'button', 'label' => $text['button-refresh'], 'icon' => $settings->get('theme', 'button_icon_refresh'), 'link' => 'conversations_realtime.php'.($query_string ? '?'.$query_string : '')]);
	if (permission_exists('voice_secretary_conversation_export') && $rows) {
		echo button::create(['type' => 'button', 'label' => $text['button-export'], 'icon' => $settings->get('theme', 'button_icon_export'), 'id' => 'btn_export', 'link' => 'conversations_realtime.php?'.http_build_query($param + ['export' => 'csv'])]);
	}
	if ($paging_controls_mini != '') {
		echo "	<span style='margin-left: 15px;'>".$paging_controls_mini."</span>\n";
	}
	echo "	</div>\n	<div style='clear: both;'></div>\n</div>\n";
	echo escape($text['title_description-conversations'])."\n<br /><br />\n";

	echo "<form method='get' class='vs_filters' id='form_search' style='display: flex; flex-wrap: wrap; gap: 10px; align-items: end; margin-bottom: 12px;'>\n";
	$filter = function (string $name, string $type, array $more = []) use ($wanted, $text) {
		$attributes = '';
		foreach ($more as $key => $value) {
			$attributes .= ' '.$key."='".escape($value)."'";
		}
		echo "<label>".escape($text['label-filter_'.$name])."<br><input class='formfld' type='".$type."' name='".$name."' value='".escape($wanted[$name] ?? '')."' style='width: 130px; min-width: 110px;'".$attributes."></label>\n";
	};
	$filter('from', 'date');
	$filter('to', 'date');
	echo "<label>".escape($text['label-filter_secretary'])."<br><select class='formfld' name='secretary'><option value=''></option>";
	foreach ($secretaries as $one) {
		echo "<option value='".escape($one['secretary_realtime_uuid'])."'".(($wanted['secretary'] ?? '') === $one['secretary_realtime_uuid'] ? " selected='selected'" : '').'>'.escape($one['extension'].' '.$one['secretary_name']).'</option>';
	}
	echo "</select></label>\n<label>".escape($text['label-filter_outcome'])."<br><select class='formfld' name='outcome'><option value=''></option>";
	foreach (array_merge(['running'], voice_secretary_conversation::OUTCOMES) as $one) {
		echo "<option value='".$one."'".(($wanted['outcome'] ?? '') === $one ? " selected='selected'" : '').'>'.escape($text['label-outcome_'.$one]).'</option>';
	}
	echo "</select></label>\n";
	$filter('caller', 'text', ['maxlength' => '64']);
	$filter('text', 'text', ['maxlength' => '100']);
	$filter('cost', 'text', ['inputmode' => 'decimal', 'maxlength' => '11']);
	echo button::create(['label' => $text['button-search'], 'icon' => $settings->get('theme', 'button_icon_search'), 'type' => 'submit', 'id' => 'btn_search']);
	if ($wanted) {
		echo button::create(['type' => 'button', 'label' => $text['button-reset'], 'icon' => $settings->get('theme', 'button_icon_reset'), 'link' => 'conversations_realtime.php']);
	}
	echo "</form>\n<div class='card'>\n<table class='list'>\n<tr class='list-header'>\n";
	$headings = ['started_at' => '', 'caller_id' => '', 'destination' => '', 'outcome' => '', 'duration_seconds' => 'right', 'total_turns' => 'right hide-sm-dn', 'avg_latency_ms' => 'right hide-sm-dn', 'estimated_cost' => 'right hide-sm-dn'];
	foreach ($headings as $name => $class) {
		echo th_order_by($name, $text['label-'.$name], $order_by, $order, null, $class === '' ? null : "class='".$class."'", $sort_query);
	}
	echo "	<th class='hide-sm-dn'>".escape($text['label-what_went_wrong'])."</th>\n</tr>\n";
	foreach ($rows as $row) {
		$url = 'conversation_realtime_detail.php?id='.urlencode($row['conversation_uuid']);
		$outcome = $row['ended_at'] === null ? 'running' : ($row['outcome'] ?? 'completed');
		echo "<tr class='list-row' href='".escape($url)."'>\n";
		echo "	<td><a href='".escape($url)."'>".escape($row['started'])."</a></td>\n";
		echo "	<td>".escape($row['caller_id'] ?? '–').(empty($row['caller_name']) || $row['caller_name'] === $row['caller_id'] ? '' : ' '.escape($row['caller_name']))."</td>\n";
		echo "	<td>".escape($row['destination'].' '.$row['secretary_name'])."</td>\n";
		echo "	<td class='".(in_array($outcome, ['failed', 'fallback', 'refused'], true) ? 'vs_bad_text' : ($outcome === 'running' ? 'vs_good_text' : ''))."'>".escape($text['label-outcome_'.$outcome] ?? $outcome).(empty($row['transfer_destination']) ? '' : ' → '.escape($row['transfer_destination']))."</td>\n";
		echo "	<td class='right'>".($row['duration_seconds'] === null ? '' : escape(sprintf('%d:%02d', intdiv((int) $row['duration_seconds'], 60), $row['duration_seconds'] % 60)))."</td>\n";
		echo "	<td class='right hide-sm-dn'>".escape($row['total_turns'])."</td>\n";
		echo "	<td class='right hide-sm-dn'>".($row['avg_latency_ms'] === null ? '' : escape(voice_secretary_words::figure($text, (int) $row['avg_latency_ms']).' ms'))."</td>\n";
		echo "	<td class='right hide-sm-dn'>".($row['estimated_cost'] === null ? '' : voice_secretary_words::usd($text, (float) $row['estimated_cost'], 4))."</td>\n";
		echo "	<td class='hide-sm-dn overflow'>".escape($row['error_code'] === null ? '' : ($text['message-error_'.$row['error_code']] ?? $row['error_code']))."</td>\n</tr>\n";
	}
	echo "</table>\n";
	if (!$rows) {
		echo "<div class='vs_empty'>".escape($text[$wanted ? 'message-nothing_found' : 'message-no_conversation'])."</div>\n";
	}
	echo "<br />\n<div align='center'>".$paging_controls."</div>\n</div>\n";

//include the footer
	require_once "resources/footer.php";

?>
