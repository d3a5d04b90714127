<?php

//where the AI may transfer to; picked from the tenant's own numbers
	if (!isset($form)) {
		exit;
	}

	$rules = is_array($shown['transfer_rules'] ?? null) ? array_values($shown['transfer_rules']) : [];
	$own_numbers = [];
	foreach ($numbers as $group) {
		$own_numbers += $group;
	}
	$rule_row = function ($x, array $rule) use ($numbers, $own_numbers, $text) {
		$destination = is_scalar($rule['destination'] ?? null) ? (string) $rule['destination'] : '';
		$other = $destination !== '' && !isset($own_numbers[$destination]);
		$kept = array_diff_key($rule, array_flip(['department', 'destination', 'description']));
		$html = "<tr class='vs_rule'>\n<td><input class='formfld' type='text' maxlength='100' name='transfer_rules[".$x."][department]' aria-label='".escape($text['label-department'])."' value='".escape(is_scalar($rule['department'] ?? null) ? (string) $rule['department'] : '')."'></td>\n<td><select class='formfld vs_destination' name='transfer_rules[".$x."][destination]' aria-label='".escape($text['label-destination'])."'><option value=''></option>";
		foreach ($numbers as $group => $found) {
			$html .= "<optgroup label='".escape($group)."'>";
			foreach ($found as $number => $name) {
				$html .= "<option value='".escape((string) $number)."'".((string) $number === $destination ? " selected='selected'" : '').'>'.escape($name).'</option>';
			}
			$html .= '</optgroup>';
		}
		return $html."<option value='_other'".($other ? " selected='selected'" : '').'>'.escape($text['option-other_number'])."</option></select> "
			."<input class='formfld vs_other' type='text' maxlength='32' name='transfer_rules[".$x."][other]' aria-label='".escape($text['option-other_number'])."' value='".escape($other ? $destination : '')."'".($other ? '' : ' hidden').'></td>'
			."\n<td><input class='formfld' type='text' maxlength='500' name='transfer_rules[".$x."][description]' aria-label='".escape($text['label-rule_description'])."' value='".escape(is_scalar($rule['description'] ?? null) ? (string) $rule['description'] : '')."'>"
			."<input type='hidden' name='transfer_rules[".$x."][kept]' value='".escape($kept ? json_encode($kept) : '')."'></td>"
			."\n<td><button type='button' class='btn btn-default vs_remove' title='".escape($text['button-remove'])."' aria-label='".escape($text['button-remove'])."'>&times;</button></td>\n</tr>\n";
	};
	$table = "<table class='vs_rules' id='transfer_rules'><thead><tr><th>".escape($text['label-department']).'</th><th>'.escape($text['label-destination']).'</th><th>'.escape($text['label-rule_description'])."</th><td></td></tr></thead><tbody>\n";
	foreach (array_filter($rules, 'is_array') as $x => $rule) {
		$table .= $rule_row($x, $rule);
	}
	$table .= "</tbody></table>\n<template id='rule_template'>".$rule_row('__', []).'</template>'
		.button::create(['type' => 'button', 'label' => $text['button-add_destination'], 'icon' => 'plus', 'id' => 'btn_add_rule']);
	echo $form->row('transfer_rules', $table, ['bare' => true]);

?>
