<?php

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";
	require_once "resources/paging.php";

//check permissions
	if (!permission_exists('voice_secretary_view')) {
		echo "access denied";
		exit;
	}

//add multi-lingual support
	$language = new text;
	$text = $language->get();

//set variables from GET parameters
	$page = is_string($_GET['page'] ?? '') && ctype_digit($_GET['page'] ?? '') ? (int) substr($_GET['page'], 0, 6) : 0;
	$order_by = in_array($_GET['order_by'] ?? '', voice_secretary_realtime::ORDERS, true) ? $_GET['order_by'] : 'extension';
	$order = ($_GET['order'] ?? '') === 'desc' ? 'desc' : 'asc';
	$search = is_string($_GET['search'] ?? '') ? mb_substr($_GET['search'] ?? '', 0, 100) : '';
	$show_all = ($_GET['show'] ?? '') === 'all' && permission_exists('voice_secretary_all');

//build the query string
	$param = array_filter(['page' => $page ?: '', 'order_by' => isset($_GET['order_by']) ? $order_by : '', 'order' => isset($_GET['order']) ? $order : '', 'search' => $search, 'show' => $show_all ? 'all' : '']);
	$query_string = http_build_query($param);
	$sort_query = http_build_query(array_diff_key($param, array_flip(['page', 'order_by', 'order'])));

	$secretaries = new voice_secretary_realtime(['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']]);
	$words = new voice_secretary_words($text);

//process the http post data by action
	$action = $_POST['action'] ?? '';
	if (in_array($action, ['copy', 'toggle', 'delete'], true) && is_array($_POST['secretaries'] ?? null)) {
		$token = new token;
		if (!$token->validate($_SERVER['PHP_SELF'])) {
			message::add($text['message-invalid_token'], 'negative');
		}
		else {
			$answers = $action === 'copy' ? $secretaries->copy($_POST['secretaries'], $text['label-copy_suffix']) : $secretaries->$action($_POST['secretaries']);
			$failed = array_filter($answers, function ($answer) { return !$answer->ok(); });
			foreach ($failed as $answer) {
				message::add(escape($words->problem($answer, $secretaries->api()->url())), 'negative', 8000);
			}
			if ($answers && !$failed) {
				message::add($text['message-'.$action]);
			}
		}
		header('Location: secretaries.php'.($query_string ? '?'.$query_string : ''));
		exit;
	}

//get the list
	$num_rows = $secretaries->count($search, $show_all);
	$rows_per_page = (int) $settings->get('domain', 'paging', 50);
	list($paging_controls, $rows_per_page) = paging($num_rows, $query_string, $rows_per_page);
	list($paging_controls_mini, $rows_per_page) = paging($num_rows, $query_string, $rows_per_page, true);
	$rows = $secretaries->list($search, $show_all, $order_by, $order, (int) $rows_per_page, (int) $rows_per_page * $page);
	$labels = (new voice_secretary_registry($secretaries->api()))->labels();
	$health = $secretaries->api()->health();

//create token
	$object = new token;
	$token = $object->create($_SERVER['PHP_SELF']);

	$may_edit = permission_exists('voice_secretary_edit');
	$may_check = permission_exists('voice_secretary_add') || $may_edit || permission_exists('voice_secretary_delete');

//include the header
	$document['title'] = $text['title-secretaries'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";

//show the content
	echo "<div class='action_bar' id='action_bar'>\n";
	echo "	<div class='heading'><b>".escape($text['title-secretaries'])."</b><div class='count'>".voice_secretary_words::figure($text, $num_rows)."</div></div>\n";
	echo "	<div class='actions'>\n";
	if (permission_exists('voice_secretary_overview_view')) {
		echo button::create(['type' => 'button', 'label' => $text['button-overview'], 'icon' => 'chart-line', 'link' => 'overview_realtime.php']);
	}
	if (permission_exists('voice_secretary_function_view')) {
		echo button::create(['type' => 'button', 'label' => $text['button-functions'], 'icon' => 'wrench', 'link' => 'functions_realtime.php']);
	}
	if (permission_exists('voice_secretary_document_view')) {
		echo button::create(['type' => 'button', 'label' => $text['button-documents'], 'icon' => 'book', 'link' => 'documents_realtime.php']);
	}
	if (permission_exists('voice_secretary_errand_view')) {
		echo button::create(['type' => 'button', 'label' => $text['button-errands'], 'icon' => 'paper-plane', 'link' => 'errands_realtime.php']);
	}
	if (permission_exists('voice_secretary_provider_view')) {
		echo button::create(['type' => 'button', 'label' => $text['button-providers'], 'icon' => 'plug', 'link' => 'providers_realtime.php']);
	}
	if (permission_exists('voice_secretary_setting_view')) {
		echo button::create(['type' => 'button', 'label' => $text['button-limits'], 'icon' => 'sliders', 'link' => 'limits_realtime.php', 'style' => 'margin-right: 15px;']);
	}
	if (permission_exists('voice_secretary_first_run')) {
		echo button::create(['type' => 'button', 'label' => $text['button-first_run'], 'icon' => 'wand-magic-sparkles', 'id' => 'btn_first_run', 'link' => 'first_run.php']);
	}
	if (permission_exists('voice_secretary_add')) {
		echo button::create(['type' => 'button', 'label' => $text['button-add'], 'icon' => $settings->get('theme', 'button_icon_add'), 'id' => 'btn_add', 'link' => 'secretary_edit.php']);
	}
	foreach (['copy' => 'add', 'toggle' => 'edit', 'delete' => 'delete'] as $one => $may) {
		if (permission_exists('voice_secretary_'.$may) && $rows) {
			echo button::create(['type' => 'button', 'label' => $text['button-'.$one], 'icon' => $settings->get('theme', 'button_icon_'.$one), 'id' => 'btn_'.$one, 'name' => 'btn_'.$one, 'style' => 'display: none;', 'onclick' => "modal_open('modal-".$one."','btn_".$one."');"]);
		}
	}
	echo "		<form id='form_search' class='inline' method='get'>\n";
	foreach (array_intersect_key($param, array_flip(['order_by', 'order', 'show'])) as $key => $value) {
		echo "		<input type='hidden' name='".escape($key)."' value='".escape($value)."'>\n";
	}
	if (!$show_all && permission_exists('voice_secretary_all')) {
		echo button::create(['type' => 'button', 'label' => $text['button-show_all'], 'icon' => $settings->get('theme', 'button_icon_all'), 'link' => '?show=all']);
	}
	echo "		<input type='text' class='txt list-search' name='search' id='search' value='".escape($search)."' placeholder='".escape($text['label-search'])."' aria-label='".escape($text['label-search'])."'>";
	echo button::create(['label' => $text['button-search'], 'icon' => $settings->get('theme', 'button_icon_search'), 'type' => 'submit', 'id' => 'btn_search']);
	if ($paging_controls_mini != '') {
		echo "	<span style='margin-left: 15px;'>".$paging_controls_mini."</span>\n";
	}
	echo "		</form>\n	</div>\n	<div style='clear: both;'></div>\n</div>\n";

	foreach (['copy' => 'add', 'toggle' => 'edit', 'delete' => 'delete'] as $one => $may) {
		if (permission_exists('voice_secretary_'.$may) && $rows) {
			echo modal::create(['id' => 'modal-'.$one, 'type' => $one, 'actions' => button::create(['type' => 'button', 'label' => $text['button-continue'], 'icon' => 'check', 'id' => 'btn_'.$one.'_yes', 'style' => 'float: right; margin-left: 15px;', 'collapse' => 'never', 'onclick' => "modal_close(); list_action_set('".$one."'); list_form_submit('form_list');"])]);
		}
	}
	echo escape($text['title_description-secretaries'])."\n<br /><br />\n";
	if (!$health->ok()) {
		echo "<div class='vs_notice' role='status'>".escape($words->problem($health, $secretaries->api()->url()).' '.$text['message-list_only'])."</div>\n";
	}

	echo "<div class='card'>\n<form id='form_list' method='post'>\n<input type='hidden' id='action' name='action' value=''>\n";
	echo "<table class='list'>\n<tr class='list-header'>\n";
	if ($may_check) {
		echo "	<th class='checkbox'><input type='checkbox' id='checkbox_all' name='checkbox_all' aria-label='".escape($text['label-select_all'])."' onclick='list_all_toggle(); checkbox_on_change(this);' ".($rows ? '' : "style='visibility: hidden;'")."></th>\n";
	}
	if ($show_all) {
		echo th_order_by('domain_name', $text['label-domain'], $order_by, $order, null, null, $sort_query);
	}
	echo th_order_by('extension', $text['label-extension'], $order_by, $order, null, null, $sort_query);
	echo th_order_by('secretary_name', $text['label-secretary_name'], $order_by, $order, null, null, $sort_query);
	echo th_order_by('processing_mode', $text['label-processing_mode'], $order_by, $order, null, null, $sort_query);
	echo "	<th class='hide-sm-dn'>".escape($text['label-provider'])."</th>\n";
	echo th_order_by('language', $text['label-language'], $order_by, $order, null, "class='hide-sm-dn'", $sort_query);
	echo "	<th class='center hide-sm-dn'>".escape($text['label-calls_30_days'])."</th>\n";
	echo "	<th class='right hide-sm-dn'>".escape($text['label-cost_30_days'])."</th>\n";
	echo th_order_by('enabled', $text['label-enabled'], $order_by, $order, null, "class='center'", $sort_query);
	if (permission_exists('voice_secretary_talk')) {
		echo "	<th class='center'>".escape($text['label-try'])."</th>\n";
	}
	echo "</tr>\n";
	foreach ($rows as $x => $row) {
		$url = '';
		if ($may_edit) {
			$url = 'secretary_edit.php?id='.urlencode($row['secretary_realtime_uuid']).($query_string ? '&'.$query_string : '');
			if ($row['domain_uuid'] != $_SESSION['domain_uuid'] && permission_exists('domain_select')) {
				$url .= '&domain_uuid='.urlencode($row['domain_uuid']).'&domain_change=true';
			}
		}
		echo "<tr class='list-row' href='".escape($url)."'>\n";
		if ($may_check) {
			echo "	<td class='checkbox'><input type='checkbox' name='secretaries[$x][checked]' id='checkbox_".$x."' value='true' aria-label='".escape($row['secretary_name'])."' onclick=\"checkbox_on_change(this); if (!this.checked) { document.getElementById('checkbox_all').checked = false; }\">";
			echo "<input type='hidden' name='secretaries[$x][uuid]' value='".escape($row['secretary_realtime_uuid'])."'></td>\n";
		}
		if ($show_all) {
			echo "	<td>".escape($row['domain_name'])."</td>\n";
		}
		echo "	<td>".($url ? "<a href='".escape($url)."' title='".escape($text['button-edit'])."'>".escape($row['extension'] ?? '–')."</a>" : escape($row['extension']))."</td>\n";
		echo "	<td>".($url ? "<a href='".escape($url)."' title='".escape($text['button-edit'])."'>".escape($row['secretary_name'])."</a>" : escape($row['secretary_name']))."</td>\n";
		echo "	<td>".escape($text['option-'.$row['processing_mode']] ?? $row['processing_mode'])."</td>\n";
		echo "	<td class='hide-sm-dn'>".escape($row['provider_label'] ?? $labels[$row['realtime_provider']] ?? $row['realtime_provider'])."</td>\n";
		echo "	<td class='hide-sm-dn'>".escape($row['language'])."</td>\n";
		echo "	<td class='center hide-sm-dn'>".voice_secretary_words::figure($text, (int) $row['calls'])."</td>\n";
		echo "	<td class='right hide-sm-dn'>".($row['cost'] === null ? '–' : voice_secretary_words::usd($text, (float) $row['cost'], 2))."</td>\n";
		if ($may_edit) {
			echo "	<td class='no-link center'>".button::create(['type' => 'submit', 'class' => 'link', 'label' => $text['label-'.$row['enabled']], 'title' => $text['button-toggle'], 'onclick' => "list_self_check('checkbox_".$x."'); list_action_set('toggle'); list_form_submit('form_list')"])."</td>\n";
		}
		else {
			echo "	<td class='center'>".escape($text['label-'.$row['enabled']])."</td>\n";
		}
		if (permission_exists('voice_secretary_talk')) {
			$may_talk = $row['domain_uuid'] == $_SESSION['domain_uuid'] && !empty($row['extension']);
			echo "	<td class='no-link center'>".($may_talk ? button::create(['type' => 'button', 'class' => 'link', 'label' => $text['button-talk'], 'icon' => 'microphone', 'link' => 'talk_realtime.php?id='.urlencode($row['secretary_realtime_uuid'])]) : '')."</td>\n";
		}
		echo "</tr>\n";
	}
	echo "</table>\n";
	if (!$rows) {
		echo "<div class='vs_empty'>".escape($search === '' ? $text['message-no_secretary'] : $text['message-nothing_found'])."</div>\n";
	}
	echo "<br />\n<div align='center'>".$paging_controls."</div>\n";
	echo "<input type='hidden' name='".$token['name']."' value='".$token['hash']."'>\n</form>\n</div>\n";

//include the footer
	require_once "resources/footer.php";

?>
