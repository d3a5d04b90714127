<?php

/**
 * Rows of an edit page in FusionPBX's own look. Everything is escaped here, and what is wrong with a
 * field stands at the field, where a screen reader finds it too.
 */
class voice_secretary_form {

	private $text;
	private $values;
	private $errors;
	private $switch_style;

	/**
	 * @param array $text   labels
	 * @param array $values name => what stands in the field
	 * @param array $errors name => sentence
	 */
	public function __construct(array $text, array $values, array $errors, bool $switch_style = false) {
		$this->text = $text;
		$this->values = $values;
		$this->errors = $errors;
		$this->switch_style = $switch_style;
	}

	public function value(string $name): string {
		$value = $this->values[$name] ?? '';
		if (is_bool($value)) {
			return $value ? 'true' : 'false';
		}
		return is_scalar($value) ? (string) $value : '';
	}

	/**
	 * A heading over rows that belong together, and that may be folded.
	 */
	public function section(string $key, bool $open = true): string {
		return "<details class='vs_section' id='section_".escape($key)."'".($open ? ' open' : '').">\n<summary><b>".escape($this->label('header-'.$key))."</b></summary>\n"
			."<table width='100%' border='0' cellpadding='0' cellspacing='0'>\n";
	}

	public function end(): string {
		return "</table>\n</details>\n";
	}

	/**
	 * One row. Attributes (kinds, modes) let the script show what fits.
	 */
	public function row(string $name, string $control, array $options = []): string {
		$required = !empty($options['required']);
		$attributes = '';
		foreach (['kinds', 'modes', 'when'] as $one) {
			$attributes .= isset($options[$one]) ? ' data-'.$one."='".escape($options[$one])."'" : '';
		}
		$label = escape($options['label'] ?? $this->label('label-'.$name));
		$about = $options['about'] ?? ($this->text['description-'.$name] ?? '');
		$error = $this->errors[$name] ?? '';
		return "<tr class='vs_row' id='row_".escape($name)."'".$attributes.">\n"
			."<td width='30%' class='".($required ? 'vncellreq' : 'vncell')."' valign='top' align='left'>"
			.(empty($options['bare']) ? "<label for='".escape($name)."'>".$label.'</label>' : "<span id='label_".escape($name)."'>".$label.'</span>')."</td>\n"
			."<td width='70%' class='vtable' align='left'>".$control
			."<div class='vs_error' id='error_".escape($name)."' role='alert'>".escape($error)."</div>"
			.($about === '' ? '' : "<div class='vs_about' id='about_".escape($name)."'>".escape($about)."</div>")."</td>\n</tr>\n";
	}

	private function attributes(string $name, array $more = []): string {
		$all = ['id' => $name, 'name' => $name] + $more;
		$described = ['error_'.$name];
		if (!empty($this->text['description-'.$name])) {
			$described[] = 'about_'.$name;
		}
		$all['aria-describedby'] = implode(' ', $described);
		if (!empty($this->errors[$name])) {
			$all['aria-invalid'] = 'true';
		}
		$text = '';
		foreach ($all as $key => $value) {
			$text .= $value === null ? '' : ' '.$key."='".escape((string) $value)."'";
		}
		return $text;
	}

	public function input(string $name, array $options = [], string $type = 'text', array $more = []): string {
		$control = "<input class='formfld' type='".$type."'".$this->attributes($name, $more + ['value' => $type === 'password' ? '' : $this->value($name)]).'>';
		return $this->row($name, $control.($options['after'] ?? ''), $options);
	}

	/**
	 * A number with its unit behind it.
	 */
	public function number(string $name, array $options = [], string $unit = ''): string {
		$more = ['inputmode' => 'decimal', 'autocomplete' => 'off', 'style' => 'width: 110px; min-width: 110px;', 'placeholder' => $options['placeholder'] ?? null];
		return $this->input($name, $options + ['after' => $unit === '' ? '' : ' '.escape($unit)], 'text', $more);
	}

	/**
	 * A slider with the number beside it; the number is what is sent.
	 */
	public function range(string $name, string $least, string $most, string $step, array $options = []): string {
		$value = $this->value($name);
		$control = "<input type='range' class='vs_range' aria-label='".escape($this->label('label-'.$name))."' data-for='".escape($name)."' min='".$least."' max='".$most."' step='".$step."' value='".escape($value)."'> "
			."<input class='formfld' type='text' inputmode='decimal' style='width: 90px; min-width: 90px;'".$this->attributes($name, ['value' => $value]).'>'.escape($options['unit'] ?? '');
		return $this->row($name, $control, $options);
	}

	/**
	 * @param array $choices value => label; a label that is an array is a group of such
	 */
	public function select(string $name, array $choices, array $options = []): string {
		$value = $this->value($name);
		$known = [];
		$html = "<select class='formfld'".$this->attributes($name).">\n";
		foreach ($choices as $key => $label) {
			if (is_array($label)) {
				$html .= "<optgroup label='".escape($key)."'>\n";
				foreach ($label as $inner => $inner_label) {
					$html .= $this->option((string) $inner, $inner_label, $value);
					$known[] = (string) $inner;
				}
				$html .= "</optgroup>\n";
			}
			else {
				$html .= $this->option((string) $key, $label, $value);
				$known[] = (string) $key;
			}
		}
		if ($value !== '' && !in_array($value, $known, true)) {
			$html .= $this->option($value, $value, $value);
		}
		return $this->row($name, $html.'</select>'.($options['after'] ?? ''), $options);
	}

	private function option(string $key, $label, string $value): string {
		return "	<option value='".escape($key)."'".($key === $value ? " selected='selected'" : '').'>'.escape((string) $label)."</option>\n";
	}

	/**
	 * Free text with suggestions, which the script fills.
	 */
	public function suggested(string $name, array $options = []): string {
		$list = "<datalist id='list_".escape($name)."'></datalist>";
		return $this->input($name, ['after' => $list.($options['after'] ?? '')] + $options, 'text', ['list' => 'list_'.$name, 'autocomplete' => 'off', 'maxlength' => '100']);
	}

	public function area(string $name, int $rows, array $options = []): string {
		$count = empty($options['count']) ? '' : "<div class='vs_about' aria-live='off' data-count='".escape($name)."'></div>";
		$control = "<textarea class='formfld vs_area' rows='".$rows."'".$this->attributes($name).'>'.escape($this->value($name)).'</textarea>'.$count;
		return $this->row($name, $control, $options);
	}

	public function toggle(string $name, array $options = []): string {
		$on = filter_var($this->values[$name] ?? false, FILTER_VALIDATE_BOOLEAN);
		$select = "<select class='formfld'".$this->attributes($name).'>'
			."<option value='true'".($on ? " selected='selected'" : '').'>'.escape($this->label('option-true')).'</option>'
			."<option value='false'".($on ? '' : " selected='selected'").'>'.escape($this->label('option-false')).'</option></select>';
		if ($this->switch_style) {
			$select = "<span class='switch'>".$select."<span class='slider'></span></span>";
		}
		return $this->row($name, $select, $options);
	}

	/**
	 * Columns of the controller these pages do not know yet, as plain fields with its own help.
	 */
	public function further(array $columns, array $types): string {
		$html = '';
		foreach ($types as $name => $type) {
			$column = $columns[$name];
			$about = $this->text['description-'.$name] ?? $column['help'] ?? '';
			$options = ['label' => $this->text['label-'.$name] ?? ucfirst(str_replace('_', ' ', $name)), 'about' => $about];
			$choices = array_filter($column['choices'] ?? [], 'is_string');
			if ($type === 'flag') {
				$html .= $this->toggle($name, $options);
			}
			elseif ($type === 'key') {
				$html .= $this->key($name, $options);
			}
			elseif ($choices) {
				$html .= $this->select($name, ['' => ''] + array_combine($choices, array_map(function ($one) { return $this->text['option-'.$one] ?? $one; }, $choices)), $options);
			}
			elseif ($type === 'json') {
				$html .= $this->area($name, 3, $options);
			}
			else {
				$html .= $this->input($name, $options);
			}
		}
		return $html;
	}

	/**
	 * A key, which goes to the controller to be sealed and is never shown: true stands for one that is set.
	 */
	private function key(string $name, array $options): string {
		$set = ($this->values[$name] ?? null) === true;
		$state = " <span class='".($set ? 'vs_good_text' : 'vs_about')."'>".escape($this->label($set ? 'label-key_set' : 'label-key_none')).'</span>';
		if ($set) {
			$state .= " <label><input type='checkbox' name='remove_".escape($name)."' value='true'> ".escape($this->label('label-key_remove')).'</label>';
		}
		return $this->input($name, ['after' => $state] + $options, 'password', ['autocomplete' => 'new-password', 'spellcheck' => 'false']);
	}

	public function label(string $key): string {
		return $this->text[$key] ?? $key;
	}
}
