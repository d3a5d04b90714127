<?php

//the settings of each kind of provider, as the controller's registry names them
	if (!isset($form)) {
		exit;
	}

	$named = [];
	foreach ($registry->providers() as $kind => $one) {
		foreach (array_filter(is_array($one['fields'] ?? null) ? $one['fields'] : [], 'is_array') as $field) {
			$name = is_string($field['name'] ?? null) ? $field['name'] : '';
			if (!preg_match('/^[a-z][a-z0-9_]{0,60}$/', $name) || in_array($name, ['model', 'voice'], true)) { // columns of the row
				continue;
			}
			$named[$name]['kinds'][] = $kind;
			$named[$name]['choices'] = array_merge($named[$name]['choices'] ?? [], array_filter((array) ($field['choices'] ?? []), 'is_string'));
			$named[$name]['type'] = is_string($field['type'] ?? null) ? $field['type'] : 'text';
			$named[$name]['help'] = is_string($field['help'] ?? null) ? $field['help'] : '';
		}
	}
	foreach ($named as $name => $field) {
		$value = array_key_exists($name, $further) ? $further[$name] : null;
		unset($further[$name]);
		$value = is_bool($value) ? ($value ? 'true' : 'false') : (is_scalar($value) ? (string) $value : ($value ? json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE) : ''));
		$id = 'of_'.$name;
		$html = "<input type='hidden' name='setting_types[".$name."]' value='".escape($field['type'])."'>";
		$choices = array_unique($field['choices']);
		if ($choices || $field['type'] === 'boolean') {
			$html .= "<select class='formfld' id='".$id."' name='settings[".$name."]'><option value=''>".escape($text['option-default'])."</option>";
			foreach ($choices ?: ['true', 'false'] as $choice) {
				$html .= "<option value='".escape($choice)."'".($choice === $value ? " selected='selected'" : '').'>'.escape($text['option-'.$choice] ?? $choice).'</option>';
			}
			$html .= '</select>';
		}
		else {
			$html .= "<input class='formfld' type='text' id='".$id."' name='settings[".$name."]' maxlength='4000' autocomplete='off' value='".escape($value)."'>";
		}
		echo $form->row($id, $html, ['label' => $text['label-of_'.$name] ?? ucfirst(str_replace('_', ' ', $name)), 'about' => str_replace('`', '', $field['help']), 'kinds' => implode(' ', array_unique($field['kinds']))]);
	}
	$rest = is_string($_POST['provider_settings'] ?? null) ? $_POST['provider_settings'] : ($further ? json_encode($further, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE) : '');
	$rest_form = new voice_secretary_form($text, ['provider_settings' => $rest], $errors);
	echo $rest_form->area('provider_settings', 3);

?>
