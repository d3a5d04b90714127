<?php

//application details
	$apps[$x]['name'] = 'Voice Secretary';
	$apps[$x]['uuid'] = 'f768064f-9585-47ad-a39e-ed24c2c063fe';
	$apps[$x]['category'] = 'Switch';
	$apps[$x]['subcategory'] = '';
	$apps[$x]['version'] = '0.1.0';
	$apps[$x]['license'] = 'MIT';
	$apps[$x]['url'] = '';
	$apps[$x]['description']['en-us'] = 'Calls answered by a realtime AI: secretaries, providers, conversations.';
	$apps[$x]['description']['pt-br'] = 'Chamadas atendidas por uma IA em tempo real: secretárias, provedores, conversas.';
	$apps[$x]['description']['es-cl'] = 'Llamadas atendidas por una IA en tiempo real: secretarias, proveedores, conversaciones.';

//permission details
	$y = 0;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_view';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$apps[$x]['permissions'][$y]['groups'][] = 'user';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_add';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_edit';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_delete';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_all';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_destinations';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$apps[$x]['permissions'][$y]['groups'][] = 'user';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_talk';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_provider_view';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_provider_add';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_provider_edit';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_provider_delete';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_conversation_view';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_conversation_export';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_conversation_control';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_conversation_erase';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_function_view';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_function_add';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_function_edit';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_function_delete';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_errand_view';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_errand_edit';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_setting_view';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_setting_edit';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_overview_view';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;
	$apps[$x]['permissions'][$y]['name'] = 'voice_secretary_first_run';
	$apps[$x]['permissions'][$y]['groups'][] = 'superadmin';
	$apps[$x]['permissions'][$y]['groups'][] = 'admin';
	$y++;

//default settings
	$y = 0;
	$apps[$x]['default_settings'][$y]['default_setting_uuid'] = '5966eb44-e0c6-4744-9511-3dc30e9a8df5';
	$apps[$x]['default_settings'][$y]['default_setting_category'] = 'voice_secretary';
	$apps[$x]['default_settings'][$y]['default_setting_subcategory'] = 'api_url';
	$apps[$x]['default_settings'][$y]['default_setting_name'] = 'text';
	$apps[$x]['default_settings'][$y]['default_setting_value'] = 'http://127.0.0.1:8085';
	$apps[$x]['default_settings'][$y]['default_setting_enabled'] = 'true';
	$apps[$x]['default_settings'][$y]['default_setting_description'] = 'Address of the media port of any worker, or of what stands in front of them.';
	$y++;
	$apps[$x]['default_settings'][$y]['default_setting_uuid'] = 'b9c48cb0-1720-400e-8ca8-2984fcb042d9';
	$apps[$x]['default_settings'][$y]['default_setting_category'] = 'voice_secretary';
	$apps[$x]['default_settings'][$y]['default_setting_subcategory'] = 'api_token';
	$apps[$x]['default_settings'][$y]['default_setting_name'] = 'text';
	$apps[$x]['default_settings'][$y]['default_setting_value'] = '';
	$apps[$x]['default_settings'][$y]['default_setting_enabled'] = 'true';
	$apps[$x]['default_settings'][$y]['default_setting_description'] = 'The token of VOICE_AI_HTTP_ADMIN_TOKEN. Empty: it is read from api_token_file.';
	$y++;
	$apps[$x]['default_settings'][$y]['default_setting_uuid'] = 'a83c546d-bc4d-43dc-96c9-3f01a9f18630';
	$apps[$x]['default_settings'][$y]['default_setting_category'] = 'voice_secretary';
	$apps[$x]['default_settings'][$y]['default_setting_subcategory'] = 'api_token_file';
	$apps[$x]['default_settings'][$y]['default_setting_name'] = 'text';
	$apps[$x]['default_settings'][$y]['default_setting_value'] = '/etc/voice-ai/pages.token';
	$apps[$x]['default_settings'][$y]['default_setting_enabled'] = 'true';
	$apps[$x]['default_settings'][$y]['default_setting_description'] = 'A file that only the web server may read, with the token in its first line.';
	$y++;
	$apps[$x]['default_settings'][$y]['default_setting_uuid'] = 'ace970fc-cddb-4416-a396-6023df2d5c05';
	$apps[$x]['default_settings'][$y]['default_setting_category'] = 'voice_secretary';
	$apps[$x]['default_settings'][$y]['default_setting_subcategory'] = 'api_timeout';
	$apps[$x]['default_settings'][$y]['default_setting_name'] = 'numeric';
	$apps[$x]['default_settings'][$y]['default_setting_value'] = '8';
	$apps[$x]['default_settings'][$y]['default_setting_enabled'] = 'true';
	$apps[$x]['default_settings'][$y]['default_setting_description'] = 'Seconds a page waits for the controller.';
	$y++;
	$apps[$x]['default_settings'][$y]['default_setting_uuid'] = '00633256-e25f-471d-8fe2-c4e12b5eadad';
	$apps[$x]['default_settings'][$y]['default_setting_category'] = 'voice_secretary';
	$apps[$x]['default_settings'][$y]['default_setting_subcategory'] = 'browser_path';
	$apps[$x]['default_settings'][$y]['default_setting_name'] = 'text';
	$apps[$x]['default_settings'][$y]['default_setting_value'] = '/voice-ai';
	$apps[$x]['default_settings'][$y]['default_setting_enabled'] = 'true';
	$apps[$x]['default_settings'][$y]['default_setting_description'] = 'The location of nginx through which browsers reach the workers. Empty: pages ask by themselves.';
	$y++;

//the secretary as a destination of IVRs, inbound routes, ring groups, time conditions
	$y = 0;
	$apps[$x]['destinations'][$y]['type'] = 'sql';
	$apps[$x]['destinations'][$y]['label'] = 'voice_secretary';
	$apps[$x]['destinations'][$y]['name'] = 'voice_secretary';
	$apps[$x]['destinations'][$y]['sql'] = 'select secretary_realtime_uuid, secretary_realtime_uuid as uuid, secretary_name as name, extension as destination, extension from v_voice_secretaries_realtime ';
	$apps[$x]['destinations'][$y]['where'] = "where domain_uuid = '\${domain_uuid}' and enabled and extension is not null ";
	$apps[$x]['destinations'][$y]['order_by'] = 'extension asc';
	$apps[$x]['destinations'][$y]['field']['secretary_realtime_uuid'] = 'secretary_realtime_uuid';
	$apps[$x]['destinations'][$y]['field']['uuid'] = 'secretary_realtime_uuid';
	$apps[$x]['destinations'][$y]['field']['name'] = 'secretary_name';
	$apps[$x]['destinations'][$y]['field']['destination'] = 'extension';
	$apps[$x]['destinations'][$y]['field']['extension'] = 'extension';
	$apps[$x]['destinations'][$y]['select_value']['dialplan'] = "transfer:\${destination} XML \${context}";
	$apps[$x]['destinations'][$y]['select_value']['ivr'] = "menu-exec-app:transfer \${destination} XML \${context}";
	$apps[$x]['destinations'][$y]['select_label'] = "\${destination} \${name}";
	$y++;

//tables, as the migrations make them
	$y = 0;
	foreach (require __DIR__ . '/resources/tables.php' as $voice_table => $voice_columns) {
		$apps[$x]['db'][$y]['table']['name'] = $voice_table;
		$apps[$x]['db'][$y]['table']['parent'] = '';
		$z = 0;
		foreach ($voice_columns as $voice_column => $voice_type) {
			$apps[$x]['db'][$y]['fields'][$z]['name'] = $voice_column;
			$apps[$x]['db'][$y]['fields'][$z]['type']['pgsql'] = $voice_type;
			if ($z == 0) {
				$apps[$x]['db'][$y]['fields'][$z]['key']['type'] = 'primary';
			}
			$apps[$x]['db'][$y]['fields'][$z]['description']['en-us'] = '';
			$z++;
		}
		$y++;
	}
	unset($voice_table, $voice_columns, $voice_column, $voice_type);

?>
