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

	$documents = new voice_secretary_document(['database' => $database, 'domain_uuid' => $_SESSION['domain_uuid']]);
	$uuid = is_string($_GET['id'] ?? null) ? $_GET['id'] : '';
	$row = $documents->find($uuid);
	if (!$row) {
		message::add($text['message-no_such_document'], 'negative');
		header('Location: documents_realtime.php');
		exit;
	}

//include the header
	$document['title'] = $text['title-document'];
	require_once "resources/header.php";
	require_once __DIR__."/resources/style.php";

//show the content
	$passages = $documents->passages($uuid);
	echo "<div class='action_bar' id='action_bar'>\n	<div class='heading'><b>".escape($text['title-document'].': '.$row['title'])."</b><div class='count'>".count($passages)."</div></div>\n	<div class='actions'>\n";
	echo button::create(['type' => 'button', 'label' => $text['button-back'], 'icon' => $settings->get('theme', 'button_icon_back'), 'id' => 'btn_back', 'link' => 'documents_realtime.php']);
	echo "	</div>\n	<div style='clear: both;'></div>\n</div>\n".escape($text['title_description-document'])."\n<br /><br />\n<div class='card'>\n";
	foreach ($passages as $passage) {
		echo "<div class='vs_passage vs_lines'>".escape($passage)."</div>\n";
	}
	echo "</div>\n";

//include the footer
	require_once "resources/footer.php";

?>
