<?php

/**
 * What happened, in the operator's language. Takes labels as $text has them; returns plain text,
 * which pages escape.
 */
class voice_secretary_words {

	private $text;

	public function __construct(array $text) {
		$this->text = $text;
	}

	/**
	 * A label with values put in; the key itself where there is none, so that nothing is silent.
	 */
	public function say(string $key, ...$values): string {
		$text = $this->text[$key] ?? '';
		return $text === '' ? $key : ($values ? vsprintf($text, $values) : $text);
	}

	/**
	 * Why an answer is no good, and what to do.
	 */
	public function problem(voice_secretary_answer $answer, string $url = ''): string {
		$kind = $answer->kind();
		if ($kind !== '' && !empty($this->text['message-problem_'.$kind])) {
			return $this->text['message-problem_'.$kind];
		}
		$said = $this->say('message-api_'.$answer->problem);
		$said = str_replace('{url}', $url, $said);
		$detail = $answer->detail();
		return $detail === '' || $answer->remarks() ? $said : $said.' ('.$detail.')';
	}

	/** What a field takes, where more may be wrong with it than a label of ours can tell. */
	const TOLD = ['transfer_rules', 'hours', 'headers', 'object', 'list', 'voice_settings'];

	/**
	 * What is wrong with one field, by what its rule allows; the controller's own words, in the
	 * operator's language, where they say more.
	 */
	public function remark(array $remark): string {
		$kind = is_string($remark['kind'] ?? null) ? $remark['kind'] : 'wrong';
		$message = is_string($remark['message'] ?? null) ? $remark['message'] : '';
		if ($kind === 'taken' && ($remark['field'] ?? '') !== 'extension') {
			return $this->unusable($message);
		}
		if ($kind !== 'wrong') {
			$said = $this->text['message-field_'.$kind] ?? '';
			return trim($said.(in_array($kind, ['together', 'refused', 'unknown'], true) ? ' '.$message : ''));
		}
		$expected = is_string($remark['expected'] ?? null) ? $remark['expected'] : '';
		if ($expected === 'text' || !isset($this->text['message-expected_'.$expected])) {
			return $this->unusable($message);
		}
		$choices = array_filter($remark['choices'] ?? [], 'is_string');
		$names = array_map(function ($one) { return $this->text['option-'.$one] ?? $one; }, $choices);
		$said = strtr($this->text['message-expected_'.$expected], [
			'{least}' => $this->number($remark['least'] ?? null),
			'{most}' => $this->number($remark['most'] ?? null),
			'{choices}' => implode(', ', $names),
		]);
		return in_array($expected, self::TOLD, true) ? trim($said.' ('.$message.')') : $said;
	}

	/**
	 * What came of trying a function, or of asking for its tools.
	 */
	public function tried(voice_secretary_answer $answer, string $url): string {
		if (!$answer->ok()) {
			return trim($this->problem($answer, $url).' '.implode(' ', array_filter($answer->data['problems'] ?? [], 'is_string')));
		}
		$lines = array_filter($answer->data['remarks'] ?? [], 'is_string');
		foreach (array_filter($answer->data['tools'] ?? [], 'is_array') as $tool) {
			$lines[] = ($tool['name'] ?? '').': '.$this->say(empty($tool['kept']) ? 'message-tool_not_kept' : 'message-tool_kept');
		}
		if (isset($answer->data['ok'])) {
			$lines[] = $answer->data['ok']
				? $this->say('message-tried_good').' '.json_encode($answer->data['told'] ?? null, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES)
				: $this->say('message-tried_bad').' '.($answer->data['why'] ?? '').' ('.($answer->data['error'] ?? '').')';
		}
		return implode("\n", $lines);
	}

	/**
	 * In the controller's own words.
	 */
	private function unusable(string $message): string {
		return trim(($this->text['message-field_wrong'] ?? '').($message === '' ? '' : ' ('.$message.')'));
	}

	/**
	 * Every remark by its field; what belongs to none, or to a field the form has not, under ''.
	 */
	public function by_field(voice_secretary_answer $answer, array $fields): array {
		$said = [];
		foreach ($answer->remarks() as $remark) {
			$field = is_string($remark['field'] ?? null) ? $remark['field'] : '';
			$sentence = $this->remark($remark);
			if (!in_array($field, $fields, true)) {
				$sentence = $field === '' ? $sentence : $field.': '.$sentence;
				$field = '';
			}
			$said[$field] = isset($said[$field]) ? $said[$field].' '.$sentence : $sentence;
		}
		return $said;
	}

	private function number($value): string {
		$point = $this->text['number-point'];
		return is_numeric($value) ? rtrim(rtrim(number_format((float) $value, 2, $point, ''), '0'), $point) : '';
	}

	/**
	 * A number as it is written in the operator's language: 1,234.5 and 1.234,5.
	 */
	public static function figure(array $text, $value, int $decimals = 0): string {
		return number_format((float) $value, $decimals, $text['number-point'], $text['number-thousands']);
	}

	/**
	 * US dollars as they are written in the operator's language.
	 */
	public static function usd(array $text, $value, int $decimals): string {
		return $text['number-usd'].self::figure($text, $value, $decimals);
	}
}
