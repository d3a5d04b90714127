<?php

//below a stored function: call it as a model would, and ask an MCP server for its tools
	if (!isset($form)) {
		exit;
	}

	$is_mcp = ($stored['function_kind'] ?? '') === 'mcp';
	$typed = ['try_arguments' => is_string($_POST['try_arguments'] ?? null) ? $_POST['try_arguments'] : '{}', 'try_tool' => is_string($_POST['try_tool'] ?? null) ? $_POST['try_tool'] : ''];
	$try = new voice_secretary_form($text, $typed, $errors);
	echo "<form method='post' id='form_try' autocomplete='off'>\n<div class='card'>\n".$try->section('function_try');
	if ($is_mcp) {
		echo $try->input('try_tool', [], 'text', ['maxlength' => '200']);
	}
	echo $try->area('try_arguments', 3).$try->end();
	echo "<button type='submit' class='btn btn-default' id='btn_try' name='act' value='try'>".escape($text['button-try'])."</button>\n";
	if ($is_mcp) {
		echo "<button type='submit' class='btn btn-default' id='btn_refresh' name='act' value='refresh'>".escape($text['button-refresh_tools'])."</button>\n";
	}
	foreach (array_filter([$tried, $refreshed]) as $answer) {
		$good = $answer->ok() && ($answer->data['ok'] ?? true);
		echo "<div class='vs_notice ".($good ? 'vs_good' : 'vs_bad')."' role='status' id='tried'><span class='vs_lines'>".escape($words->tried($answer, $functions->api()->url()))."</span></div>\n";
	}
	echo "</div>\n<input type='hidden' name='id' value='".escape($uuid)."'>\n<input type='hidden' name='".$token['name']."' value='".$token['hash']."'>\n</form>\n<br /><br />\n";

?>
