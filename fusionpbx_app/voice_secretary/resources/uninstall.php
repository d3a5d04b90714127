<?php

//php app/voice_secretary/resources/uninstall.php [--data]: takes the app out of FusionPBX again; with
//--data its tables too. Then remove the folder. Only for the command line.
	if (PHP_SAPI !== 'cli') {
		exit;
	}
	require_once dirname(__DIR__, 3) . "/resources/require.php";

	$scripts = (string) $settings->get('switch', 'scripts', '');
	if ($scripts === '') {
		$scripts = (string) config::load()->get('switch.scripts.dir', '');
	}
	foreach ((new voice_secretary_removal($database))->run(in_array('--data', $argv, true), $scripts) as $said) {
		echo $said."\n";
	}

?>
