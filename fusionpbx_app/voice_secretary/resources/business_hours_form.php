<?php

//when it answers: two spans a day, and dates it is closed
	if (!isset($form)) {
		exit;
	}

	$hours = is_array($shown['business_hours'] ?? null) ? $shown['business_hours'] : null;
	$table = "<select class='formfld' id='hours_always' name='hours_always' aria-label='".escape($text['label-business_hours'])."'><option value='true'".($hours === null ? " selected='selected'" : '').'>'.escape($text['option-always'])."</option><option value='false'".($hours === null ? '' : " selected='selected'").'>'.escape($text['option-hours'])."</option></select>\n";
	$table .= "<div id='hours'".($hours === null ? ' hidden' : '')."><table class='vs_hours'>\n";
	foreach (voice_secretary_fields::DAYS as $day) {
		$spans = is_array($hours[$day] ?? null) ? $hours[$day] : [];
		if ($hours === null && !in_array($day, ['sat', 'sun'], true)) {
			$spans = [['09:00', '18:00']];
		}
		$table .= "<tr><th scope='row'>".escape($text['label-'.$day]).'</th>';
		for ($n = 0; $n < max(2, count($spans)); $n++) {
			$table .= '<td>';
			foreach (['from' => 0, 'to' => 1] as $end => $place) {
				$at = is_string($spans[$n][$place] ?? null) ? $spans[$n][$place] : '';
				$table .= "<input class='formfld vs_time' type='text' placeholder='".($end === 'from' ? '09:00' : '18:00')."' maxlength='5' name='hours[".$day.'][1'.$n.'0]['.$end."]' aria-label='".escape($text['label-'.$day].' '.($n + 1).' '.$text['label-'.$end])."' value='".escape($at)."'>".($end === 'from' ? ' – ' : '');
			}
			$table .= '</td>';
		}
		$table .= "</tr>\n";
	}
	$closed = array_filter(is_array($hours['closed_dates'] ?? null) ? $hours['closed_dates'] : [], 'is_string');
	$table .= "</table><label>".escape($text['label-closed_dates'])."<br><textarea class='formfld' name='closed_dates' rows='2' placeholder='2026-12-25'>".escape(implode("\n", $closed))."</textarea></label></div>\n";
	echo $form->row('business_hours', $table, ['bare' => true]);

?>
