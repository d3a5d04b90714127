<?php

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";

//check permissions
	if (!permission_exists('voice_secretary_provider_view')) {
		echo "access denied";
		exit;
	}

//add multi-lingual support
	$language = new text;
	$text = $language->get();

	$of = ['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']];
	$providers = new voice_secretary_provider($of);
	$words = new voice_secretary_words($text);

//process the http post data by action
	$action = $_POST['action'] ?? '';
	if (in_array($action, ['copy', 'toggle', 'delete', 'up', 'down'], true)) {
		$token = new token;
		$rows = is_array($_POST['providers'] ?? null) ? $_POST['providers'] : [];
		if (!$token->validate($_SERVER['PHP_SELF'])) {
			message::add($text['message-invalid_token'], 'negative');
		}
		else {
			if ($action === 'up' || $action === 'down') {
				$moved = is_string($_POST['moved'] ?? null) ? $_POST['moved'] : '';
				$answers = $providers->owns($moved) ? $providers->move($moved, $action) : [new voice_secretary_answer(404, '')];
			}
			else {
				$answers = $action === 'copy' ? $providers->copy($rows, $text['label-copy_suffix']) : $providers->$action($rows);
			}
			$failed = array_filter($answers, function ($answer) { return !$answer->ok(); });
			foreach ($failed as $answer) {
				message::add(escape($words->problem($answer, $providers->api()->url())), 'negative', 8000);
			}
			if ($answers && !$failed) {
				message::add($text[in_array($action, ['up', 'down'], true) ? 'message-update' : 'message-'.$action]);
			}
		}
		header('Location: providers_realtime.php');
		exit;
	}

//get the list
	$registry = new voice_secretary_registry($providers->api());
	$labels = $registry->labels();
	$health = $providers->api()->health();
	$overview = new voice_secretary_overview($of);
	$limits = $overview->limits();
	$zone = voice_secretary_overview::zone($settings, $limits);
	$spent = $overview->spent($zone);
	$rows = $providers->list($zone);
	$besides = $providers->besides($zone);
	$warning = (int) ($limits['budget_warning_percent'] ?? 80);

//create tokens
	$object = new token;
	$token = $object->create($_SERVER['PHP_SELF']);
	$ask_token = $object->create('/app/voice_secretary/realtime_ask.php');
	$may_edit = permission_exists('voice_secretary_provider_edit');

//include the header
	$document['title'] = $text['title-providers'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";

//show the content
	echo "<div class='action_bar' id='action_bar'>\n";
	echo "	<div class='heading'><b>".escape($text['title-providers'])."</b><div class='count'>".count($rows)."</div></div>\n	<div class='actions'>\n";
	echo button::create(['type' => 'button', 'label' => $text['button-back'], 'icon' => $settings->get('theme', 'button_icon_back'), 'id' => 'btn_back', 'style' => 'margin-right: 15px;', 'link' => 'secretaries.php']);
	if (permission_exists('voice_secretary_provider_add')) {
		echo button::create(['type' => 'button', 'label' => $text['button-add'], 'icon' => $settings->get('theme', 'button_icon_add'), 'id' => 'btn_add', 'link' => 'providers_realtime_edit.php']);
	}
	foreach (['copy' => 'add', 'toggle' => 'edit', 'delete' => 'delete'] as $one => $may) {
		if (permission_exists('voice_secretary_provider_'.$may) && $rows) {
			echo button::create(['type' => 'button', 'label' => $text['button-'.$one], 'icon' => $settings->get('theme', 'button_icon_'.$one), 'id' => 'btn_'.$one, 'name' => 'btn_'.$one, 'style' => 'display: none;', 'onclick' => "modal_open('modal-".$one."','btn_".$one."');"]);
		}
	}
	echo "	</div>\n	<div style='clear: both;'></div>\n</div>\n";
	foreach (['copy' => 'add', 'toggle' => 'edit', 'delete' => 'delete'] as $one => $may) {
		if (permission_exists('voice_secretary_provider_'.$may) && $rows) {
			echo modal::create(['id' => 'modal-'.$one, 'type' => $one, 'actions' => button::create(['type' => 'button', 'label' => $text['button-continue'], 'icon' => 'check', 'id' => 'btn_'.$one.'_yes', 'style' => 'float: right; margin-left: 15px;', 'collapse' => 'never', 'onclick' => "modal_close(); list_action_set('".$one."'); list_form_submit('form_list');"])]);
		}
	}
	echo escape($text['title_description-providers'])."\n<br /><br />\n";
	if (!$health->ok()) {
		echo "<div class='vs_notice' role='status'>".escape($words->problem($health, $providers->api()->url()).' '.$text['message-list_only'])."</div>\n";
	}
	echo "<div class='vs_cards'>\n";
	foreach (['day' => 'daily_budget_usd', 'month' => 'monthly_budget_usd'] as $period => $column) {
		$limit = isset($limits[$column]) ? (float) $limits[$column] : null;
		echo "<div class='vs_card'><small>".escape($text['label-'.$column]).'</small>'.voice_secretary_overview::meter((float) ($spent[$period] ?? 0), $limit, $warning, $text)."</div>\n";
	}
	if (permission_exists('voice_secretary_setting_view')) {
		echo "<div class='vs_card'><small>".escape($text['label-limits'])."</small><br><a href='limits_realtime.php'>".escape($text['label-domain_limits_link'])."</a></div>\n";
	}
	echo "</div>\n";

	echo "<div class='card'>\n<form id='form_list' method='post'>\n<input type='hidden' id='action' name='action' value=''>\n<input type='hidden' id='moved' name='moved' value=''>\n";
	echo "<table class='list'>\n<tr class='list-header'>\n	<th class='checkbox'><input type='checkbox' id='checkbox_all' name='checkbox_all' aria-label='".escape($text['label-select_all'])."' onclick='list_all_toggle(); checkbox_on_change(this);' ".($rows ? '' : "style='visibility: hidden;'")."></th>\n";
	foreach (['label-order', 'label-provider_label', 'label-realtime_provider', 'label-model', 'label-key', 'label-health', 'label-month_cost', 'label-enabled', 'label-test'] as $label) {
		echo "	<th>".escape($text[$label])."</th>\n";
	}
	echo "</tr>\n";
	foreach ($rows as $x => $row) {
		$id = $row['voice_realtime_provider_uuid'];
		$url = $may_edit ? 'providers_realtime_edit.php?id='.urlencode($id) : '';
		$state = $health->data['providers'][$row['realtime_provider']] ?? '';
		$state = in_array($state, ['available', 'degraded', 'unavailable'], true) ? $state : 'unknown';
		echo "<tr class='list-row' href='".escape($url)."'>\n";
		echo "	<td class='checkbox'><input type='checkbox' name='providers[$x][checked]' id='checkbox_".$x."' value='true' aria-label='".escape($row['provider_label'])."' onclick=\"checkbox_on_change(this); if (!this.checked) { document.getElementById('checkbox_all').checked = false; }\"><input type='hidden' name='providers[$x][uuid]' value='".escape($id)."'></td>\n";
		echo "	<td class='no-link'>".($x + 1).' ';
		foreach (['up' => '▲', 'down' => '▼'] as $way => $sign) {
			if ($may_edit && ($way === 'up' ? $x > 0 : $x < count($rows) - 1)) {
				echo "<button type='submit' class='btn btn-link' title='".escape($text['button-'.$way])."' aria-label='".escape($text['button-'.$way].' '.$row['provider_label'])."' onclick=\"document.getElementById('moved').value='".escape($id)."'; list_action_set('".$way."');\">".$sign.'</button>';
			}
		}
		echo "</td>\n	<td>".($url ? "<a href='".escape($url)."' title='".escape($text['button-edit'])."'>".escape($row['provider_label']).'</a>' : escape($row['provider_label']))."</td>\n";
		echo "	<td>".escape($labels[$row['realtime_provider']] ?? $row['realtime_provider'])."</td>\n	<td>".escape($row['model'] ?? '–')."</td>\n";
		echo "	<td>".escape($text[filter_var($row['has_key'], FILTER_VALIDATE_BOOLEAN) ? 'label-key_set' : 'label-key_none'])."</td>\n";
		echo "	<td class='".($state === 'available' ? 'vs_good_text' : ($state === 'unavailable' ? 'vs_bad_text' : ''))."'>".escape($text['label-health_'.$state])."</td>\n";
		echo "	<td>".($row['month_cost'] === null ? '–' : voice_secretary_words::usd($text, (float) $row['month_cost'], 2))."</td>\n";
		echo "	<td class='no-link'>".($may_edit ? button::create(['type' => 'submit', 'class' => 'link', 'label' => $text['label-'.$row['enabled']], 'title' => $text['button-toggle'], 'onclick' => "list_self_check('checkbox_".$x."'); list_action_set('toggle'); list_form_submit('form_list')"]) : escape($text['label-'.$row['enabled']]))."</td>\n";
		echo "	<td class='no-link'><button type='button' class='btn btn-default vs_test' data-id='".escape($id)."' aria-label='".escape($text['button-test'].' '.$row['provider_label'])."'>".escape($text['button-test'])."</button> <span role='status' class='vs_said'></span></td>\n</tr>\n";
	}
	echo "</table>\n";
	if (!$rows) {
		echo "<div class='vs_empty'>".escape($text['message-no_provider'])."</div>\n";
	}
	if ($besides) {
		echo "<div class='vs_notice' id='besides'>".escape($text['message-besides_providers'])." ".implode(' · ', array_map(function ($one) use ($text, $labels) {
			$purpose = $text['label-purpose_'.$one['purpose']] ?? $one['purpose'];
			$said = ($labels[$one['provider']] ?? $one['provider']).', '.$purpose.($one['removed'] === 'true' ? ', '.$text['label-removed_provider'] : '');
			return escape($said.' '.voice_secretary_words::usd($text, (float) $one['cost'], (float) $one['cost'] < 0.01 ? 4 : 2));
		}, $besides))."</div>\n";
	}
	echo "<br />\n<input type='hidden' name='".$token['name']."' value='".$token['hash']."'>\n</form>\n</div>\n";
	echo "<script>window.voice_secretary = ".json_encode(['ask' => 'realtime_ask.php', 'token_name' => $ask_token['name'], 'token' => $ask_token['hash'], 'wait' => $text['script-testing'], 'failed' => $text['script-failed']], JSON_HEX_TAG | JSON_HEX_AMP)."</script>\n";
	echo "<script src='resources/javascript/ask.js'></script><script src='resources/javascript/provider_test.js'></script>\n";

//include the footer
	require_once "resources/footer.php";

?>
