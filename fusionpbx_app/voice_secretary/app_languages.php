<?php

//every label in the three languages of these pages: key => [en-us, pt-br, es-cl]
	foreach (['pages', 'secretary', 'provider', 'conversation', 'messages', 'talk', 'function', 'document'] as $voice_file) {
		foreach (require __DIR__.'/resources/languages/'.$voice_file.'.php' as $voice_key => $voice_words) {
			$text[$voice_key]['en-us'] = $voice_words[0];
			$text[$voice_key]['pt-br'] = $voice_words[1];
			$text[$voice_key]['es-cl'] = $voice_words[2];
		}
	}
	unset($voice_file, $voice_key, $voice_words);

?>
