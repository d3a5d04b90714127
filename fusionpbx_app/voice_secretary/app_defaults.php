<?php

//the Lua files: FusionPBX copies those of its own apps alone
	if ($domains_processed == 1) {
		$voice_scripts = '';
		if (isset($settings)) {
			$voice_scripts = (string) $settings->get('switch', 'scripts', '');
		}
		if ($voice_scripts === '' && class_exists('config')) {
			$voice_scripts = (string) config::load()->get('switch.scripts.dir', '');
		}
		foreach (voice_secretary_dialplan::copy_scripts($voice_scripts) as $voice_said) {
			echo "voice_secretary: ".$voice_said."\n";
		}
		unset($voice_scripts, $voice_said);
	}

?>
