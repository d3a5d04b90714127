<?php

// A thin FusionPBX for tests: what the pages rely on, as strict as the real one where it bites.
// Written for this project from the behaviour of FusionPBX 5.5; nothing of it is copied.

	define('PROJECT_PATH', '');
	define('PROJECT_ROOT', dirname(__DIR__));
	set_include_path(PROJECT_ROOT);
	error_reporting(E_ALL);
	ini_set('display_errors', '0');
	ini_set('log_errors', '1');
	set_error_handler(function ($level, $said, $file, $line) {
		error_log('THIN-WARNING '.$said.' at '.basename($file).':'.$line);
		return true;
	});
	spl_autoload_register(function ($class) {
		foreach (glob(PROJECT_ROOT.'/*/*/resources/classes/'.basename($class).'.php') as $file) {
			require_once $file;
		}
	});
	require_once __DIR__.'/functions.php';
	require_once __DIR__.'/classes.php';

	session_save_path(getenv('THIN_SESSIONS'));
	session_start();
	$database = database::new();
	$domain_uuid = $_SESSION['domain_uuid'] ?? '';
	$user_uuid = $_SESSION['user_uuid'] ?? '';
	$settings = new settings(['database' => $database, 'domain_uuid' => $domain_uuid]);
	$db_type = 'pgsql';
