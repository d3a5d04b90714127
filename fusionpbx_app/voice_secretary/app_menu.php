<?php

	$y = 0;
	$apps[$x]['menu'][$y]['title']['en-us'] = 'Voice Secretary';
	$apps[$x]['menu'][$y]['title']['pt-br'] = 'Secretária de voz';
	$apps[$x]['menu'][$y]['title']['es-cl'] = 'Secretaria de voz';
	$apps[$x]['menu'][$y]['uuid'] = 'e66c0e98-1942-4e8a-b4c6-049fa9998118';
	$apps[$x]['menu'][$y]['parent_uuid'] = 'fd29e39c-c936-f5fc-8e2b-611681b266b5';
	$apps[$x]['menu'][$y]['category'] = 'internal';
	$apps[$x]['menu'][$y]['icon'] = '';
	$apps[$x]['menu'][$y]['path'] = '/app/voice_secretary/secretaries.php';
	$apps[$x]['menu'][$y]['order'] = '';
	$apps[$x]['menu'][$y]['groups'][] = 'superadmin';
	$apps[$x]['menu'][$y]['groups'][] = 'admin';
	$y++;

	$apps[$x]['menu'][$y]['title']['en-us'] = 'Voice Conversations';
	$apps[$x]['menu'][$y]['title']['pt-br'] = 'Conversas de voz';
	$apps[$x]['menu'][$y]['title']['es-cl'] = 'Conversaciones de voz';
	$apps[$x]['menu'][$y]['uuid'] = '3c19c840-d9f9-4acd-a62d-2465be71c2d9';
	$apps[$x]['menu'][$y]['parent_uuid'] = '0438b504-8613-7887-c420-c837ffb20cb1';
	$apps[$x]['menu'][$y]['category'] = 'internal';
	$apps[$x]['menu'][$y]['icon'] = '';
	$apps[$x]['menu'][$y]['path'] = '/app/voice_secretary/conversations_realtime.php';
	$apps[$x]['menu'][$y]['order'] = '';
	$apps[$x]['menu'][$y]['groups'][] = 'superadmin';
	$apps[$x]['menu'][$y]['groups'][] = 'admin';
	$y++;

	$apps[$x]['menu'][$y]['title']['en-us'] = 'Voice Overview';
	$apps[$x]['menu'][$y]['title']['pt-br'] = 'Visão geral de voz';
	$apps[$x]['menu'][$y]['title']['es-cl'] = 'Resumen de voz';
	$apps[$x]['menu'][$y]['uuid'] = 'e7f137f5-a11b-4c7d-b5a6-b47b57a73cab';
	$apps[$x]['menu'][$y]['parent_uuid'] = '0438b504-8613-7887-c420-c837ffb20cb1';
	$apps[$x]['menu'][$y]['category'] = 'internal';
	$apps[$x]['menu'][$y]['icon'] = '';
	$apps[$x]['menu'][$y]['path'] = '/app/voice_secretary/overview_realtime.php';
	$apps[$x]['menu'][$y]['order'] = '';
	$apps[$x]['menu'][$y]['groups'][] = 'superadmin';
	$apps[$x]['menu'][$y]['groups'][] = 'admin';
	$y++;

	$apps[$x]['menu'][$y]['title']['en-us'] = 'Voice Providers';
	$apps[$x]['menu'][$y]['title']['pt-br'] = 'Provedores de voz';
	$apps[$x]['menu'][$y]['title']['es-cl'] = 'Proveedores de voz';
	$apps[$x]['menu'][$y]['uuid'] = '12f034c1-43d2-4a11-a0a8-a1e2fdbc4be2';
	$apps[$x]['menu'][$y]['parent_uuid'] = 'fd29e39c-c936-f5fc-8e2b-611681b266b5';
	$apps[$x]['menu'][$y]['category'] = 'internal';
	$apps[$x]['menu'][$y]['icon'] = '';
	$apps[$x]['menu'][$y]['path'] = '/app/voice_secretary/providers_realtime.php';
	$apps[$x]['menu'][$y]['order'] = '';
	$apps[$x]['menu'][$y]['groups'][] = 'superadmin';
	$apps[$x]['menu'][$y]['groups'][] = 'admin';
	$y++;

?>
