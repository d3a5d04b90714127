<?php

//the page that FusionPBX's destination buttons open, by the name they make of the app's
	$id = is_string($_GET['id'] ?? null) ? $_GET['id'] : '';
	header('Location: secretary_edit.php'.($id === '' ? '' : '?id='.urlencode($id)));
	exit;

?>
