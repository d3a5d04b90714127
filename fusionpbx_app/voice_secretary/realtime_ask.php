<?php

//what the pages' scripts ask: JSON in the operator's language, or sound. Every question is a POST
//with a token of this page; everything is below the session's own domain.

//includes files
	require_once dirname(__DIR__, 2) . "/resources/require.php";
	require_once "resources/check_auth.php";

//add multi-lingual support
	$language = new text;
	$text = $language->get();

	$token = new token;
	$is_good = $_SERVER['REQUEST_METHOD'] === 'POST' && $token->validate($_SERVER['PHP_SELF']);
	$asker = new voice_secretary_asker($database, (string) $_SESSION['domain_uuid'], $text);

//what is asked may take a while: the user's other pages must not wait for it
	session_write_close();

	if (!$is_good) {
		http_response_code(403);
		$told = ['ok' => false, 'said' => $text['message-invalid_token']];
	}
	else {
		$told = $asker->answer(is_string($_POST['ask'] ?? null) ? $_POST['ask'] : '', $_POST);
	}
	header('Cache-Control: no-store');
	if ($told instanceof voice_secretary_answer) {
		header('Content-Type: audio/wav');
		header('Content-Length: '.strlen($told->body));
		echo $told->body;
		exit;
	}
	header('Content-Type: application/json');
	echo json_encode($told, JSON_HEX_TAG | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PRESERVE_ZERO_FRACTION);

?>
