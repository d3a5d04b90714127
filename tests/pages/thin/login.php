<?php

// For tests alone: become a user of a domain, with the permissions of a group as app_config.php has them.
	require_once __DIR__.'/resources/require.php';
	$x = 0;
	include PROJECT_ROOT.'/app/voice_secretary/app_config.php';
	$_SESSION = ['authorized' => true, 'domain_uuid' => $_GET['domain_uuid'], 'domain_name' => $_GET['domain_name'] ?? 'thin.example', 'user_uuid' => uuid(), 'language' => $_GET['language'] ?? 'en-us', 'permissions' => []];
	foreach ($apps[0]['permissions'] as $permission) {
		if (in_array($_GET['group'] ?? 'admin', $permission['groups'], true)) {
			$_SESSION['permissions'][$permission['name']] = true;
		}
	}
	echo 'in';
