<?php

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";

//check permissions
	if (!permission_exists('voice_secretary_document_view')) {
		echo "access denied";
		exit;
	}

//add multi-lingual support
	$language = new text;
	$text = $language->get();

	$of = ['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']];
	$documents = new voice_secretary_document($of);
	$words = new voice_secretary_words($text);
	$may = ['add' => permission_exists('voice_secretary_document_add'), 'delete' => permission_exists('voice_secretary_document_delete')];
	$errors = [];

//process the form; of what is larger than post_max_size PHP leaves nothing, the token neither
	if (count($_POST) > 0) {
		$token = new token;
		$action = $_POST['action'] ?? '';
		if (!$token->validate($_SERVER['PHP_SELF'])) {
			message::add($text['message-invalid_token'], 'negative');
			header('Location: documents_realtime.php');
			exit;
		}
		if ($action === 'delete') {
			$answers = $documents->delete(is_array($_POST['documents'] ?? null) ? $_POST['documents'] : []);
			$bad = array_filter($answers, function ($answer) { return !$answer->ok(); });
			foreach (array_slice($bad, 0, 3) as $answer) {
				message::add(escape($words->problem($answer, $documents->api()->url())), 'negative', 8000);
			}
			if ($answers && !$bad) {
				message::add($text['message-delete']);
			}
			header('Location: documents_realtime.php');
			exit;
		}
		list($answer, $wrong) = $documents->upload($_POST, $_FILES['file'] ?? null);
		$errors = array_map(function ($label) use ($text) { return $text[$label]; }, $wrong);
		if ($answer->ok()) {
			message::add(escape($words->say('message-document_stored', $answer->data['title'] ?? '', (int) ($answer->data['passages'] ?? 0))));
			header('Location: documents_realtime.php');
			exit;
		}
		$unsaved = $errors ? $text['message-not_saved_fields'] : $words->problem($answer, $documents->api()->url()).' '.$text['message-not_saved'];
	}
	elseif ($_SERVER['REQUEST_METHOD'] === 'POST') {
		$errors['file'] = $text['message-document_too_big'];
	}

//try a question
	$question = is_string($_GET['question'] ?? null) ? trim($_GET['question']) : '';
	$found = $question === '' ? null : $documents->search($question);
	$rows = $documents->list(voice_secretary_overview::zone($settings, (new voice_secretary_overview($of))->limits()));

//create the token
	$object = new token;
	$token = $object->create($_SERVER['PHP_SELF']);

//include the header
	$document['title'] = $text['title-documents'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";

//show the content
	echo "<div class='action_bar' id='action_bar'>\n	<div class='heading'><b>".escape($text['title-documents'])."</b><div class='count'>".count($rows)."</div></div>\n	<div class='actions'>\n";
	echo button::create(['type' => 'button', 'label' => $text['button-back'], 'icon' => $settings->get('theme', 'button_icon_back'), 'id' => 'btn_back', 'style' => 'margin-right: 15px;', 'link' => 'secretaries.php']);
	if ($may['delete'] && $rows) {
		echo button::create(['type' => 'button', 'label' => $text['button-delete'], 'icon' => $settings->get('theme', 'button_icon_delete'), 'id' => 'btn_delete', 'name' => 'btn_delete', 'style' => 'display: none;', 'onclick' => "modal_open('modal-delete','btn_delete');"]);
	}
	echo "	</div>\n	<div style='clear: both;'></div>\n</div>\n";
	if ($may['delete'] && $rows) {
		echo modal::create(['id' => 'modal-delete', 'type' => 'delete', 'actions' => button::create(['type' => 'button', 'label' => $text['button-continue'], 'icon' => 'check', 'id' => 'btn_delete_sure', 'style' => 'float: right; margin-left: 15px;', 'collapse' => 'never', 'onclick' => "modal_close(); list_action_set('delete'); list_form_submit('form_list');"])]);
	}
	echo escape($text['title_description-documents'])."\n<br /><br />\n";
	if (!empty($unsaved)) {
		echo "<div class='vs_notice vs_bad' role='alert' id='unsaved'>".escape($unsaved)."</div>\n";
	}
	echo "<div class='card'>\n<form id='form_list' method='post'>\n<input type='hidden' id='action' name='action' value=''>\n<table class='list'>\n<tr class='list-header'>\n";
	if ($may['delete']) {
		echo "	<th class='checkbox'><input type='checkbox' id='checkbox_all' name='checkbox_all' aria-label='".escape($text['title-documents'])."' onclick='list_all_toggle(); checkbox_on_change(this);'".($rows ? '' : " style='visibility: hidden;'")."></th>\n";
	}
	foreach (['title' => '', 'source_format' => 'hide-sm-dn', 'document_language' => 'hide-sm-dn', 'document_passages' => 'right', 'document_size' => 'right hide-sm-dn', 'document_created' => '', 'document_embedded' => 'hide-sm-dn'] as $one => $class) {
		echo "	<th class='".$class."'>".escape($text['label-'.$one])."</th>\n";
	}
	echo "</tr>\n";
	foreach ($rows as $x => $row) {
		$url = 'document_realtime.php?id='.urlencode($row['document_uuid']);
		echo "<tr class='list-row' href='".escape($url)."'>\n";
		if ($may['delete']) {
			echo "	<td class='checkbox'><input type='checkbox' name='documents[".$x."][checked]' id='checkbox_".$x."' value='true' aria-label='".escape($row['title'])."' onclick=\"checkbox_on_change(this); if (!this.checked) { document.getElementById('checkbox_all').checked = false; }\"><input type='hidden' name='documents[".$x."][uuid]' value='".escape($row['document_uuid'])."'></td>\n";
		}
		echo "	<td><a href='".escape($url)."'>".escape($row['title'])."</a></td>\n	<td class='hide-sm-dn'>".escape($text['option-format_'.$row['source_format']] ?? $row['source_format'])."</td>\n	<td class='hide-sm-dn'>".escape($row['language'] ?? '')."</td>\n";
		echo "	<td class='right'>".escape($row['passages'])."</td>\n	<td class='right hide-sm-dn'>".escape(voice_secretary_words::figure($text, max(1, $row['size_bytes'] / 1024)).' kB')."</td>\n	<td>".escape($row['created'])."</td>\n	<td class='hide-sm-dn'>".escape($row['embedded'])."</td>\n</tr>\n";
	}
	echo "</table>\n";
	if (!$rows) {
		echo "<div class='vs_empty'>".escape($text['message-no_document'])."</div>\n";
	}
	echo "<input type='hidden' name='".$token['name']."' value='".$token['hash']."'>\n</form>\n</div>\n<br />\n";

//below the list: a question, and a form for one more
	require_once __DIR__."/resources/document_forms.php";

//include the footer
	require_once "resources/footer.php";

?>
