<?php

/**
 * The columns the pages set, by what is typed for each, and the way from a form to a row.
 *
 * What a value may be is judged by the controller. Here is only told a number from a text.
 */
class voice_secretary_fields {

	const SECRETARY = [
		'secretary_name' => 'text', 'extension' => 'text', 'language' => 'text', 'enabled' => 'flag',
		'voice_realtime_provider_uuid' => 'text', 'realtime_provider' => 'text', 'model' => 'text', 'voice_id' => 'text',
		'transcription_model' => 'text', 'noise_reduction' => 'text',
		'system_prompt' => 'long', 'first_message' => 'long', 'farewell_message' => 'long', 'silence_prompt' => 'long',
		'vad_mode' => 'text', 'vad_threshold' => 'number', 'silence_duration_ms' => 'whole', 'vad_prefix_padding_ms' => 'whole',
		'vad_eagerness' => 'text', 'vad_idle_timeout_ms' => 'whole', 'barge_in' => 'flag', 'dtmf_pause_ms' => 'whole',
		'time_zone' => 'text', 'closed_extension' => 'text',
		'max_duration_seconds' => 'whole', 'max_turns' => 'whole', 'max_silence_seconds' => 'whole', 'max_concurrent_calls' => 'whole',
		'fallback_extension' => 'text', 'overflow_extension' => 'text',
		'playback_mode' => 'text', 'media_mode' => 'text',
	];

	/** Columns of a secretary with an editor of their own. */
	const SECRETARY_EDITORS = ['voice_settings', 'transfer_rules', 'business_hours', 'provider_config', 'functions_config'];

	/** Functions of ours that a secretary may offer. */
	const FUNCTIONS = ['create_ticket', 'lookup_customer', 'check_appointment', 'book_appointment', 'cancel_appointment', 'take_message', 'send_dtmf'];

	const PROVIDER = [
		'realtime_provider' => 'text', 'provider_label' => 'text', 'model' => 'text', 'default_voice_id' => 'text',
		'base_url' => 'text', 'priority' => 'whole', 'max_concurrent_calls' => 'whole', 'enabled' => 'flag',
	];

	const SETTINGS = [
		'time_zone' => 'text', 'max_concurrent_calls' => 'whole', 'daily_budget_usd' => 'money', 'monthly_budget_usd' => 'money',
		'budget_warning_percent' => 'whole', 'budget_action' => 'text', 'human_extension' => 'text',
		'retention_days' => 'whole', 'store_transcripts' => 'flag', 'redact_personal_data' => 'flag',
	];

	/** By what a column takes, as the controller tells it: for columns these pages do not know yet. */
	const EXPECTED = [
		'text' => 'text', 'choice' => 'text', 'whole' => 'whole', 'number' => 'number', 'money' => 'money', 'flag' => 'flag',
		'uuid' => 'text', 'dialable' => 'text', 'language' => 'text', 'time_zone' => 'text', 'url' => 'text',
		'list' => 'json', 'object' => 'json', 'key' => 'key',
	];

	/**
	 * What a form sent, as values for the controller.
	 *
	 * @param array $post   of the request: strings, or what an attacker made of them
	 * @param array $fields name => type
	 * @return array [values, name => label of what is wrong with it]
	 */
	public static function read(array $post, array $fields): array {
		$values = $wrong = [];
		foreach ($fields as $name => $type) {
			if (!array_key_exists($name, $post)) {
				continue;
			}
			$given = $post[$name];
			if (!is_string($given) || strlen($given) > 400000 || !mb_check_encoding($given, 'UTF-8')) {
				$wrong[$name] = 'message-field_wrong';
				continue;
			}
			$given = str_replace("\r\n", "\n", trim($given));
			if ($type === 'key' && $given === '') {
				if (($post['remove_'.$name] ?? '') === 'true') {
					$values[$name] = null;
				}
				continue; // nothing typed keeps the one there is
			}
			list($value, $problem) = self::value($given, $type);
			if ($problem !== '') {
				$wrong[$name] = $problem;
			}
			else {
				$values[$name] = $value;
			}
		}
		return [$values, $wrong];
	}

	private static function value(string $given, string $type): array {
		if ($given === '') {
			return [null, ''];
		}
		$dotted = preg_match('/^-?\d+,\d+$/', $given) ? str_replace(',', '.', $given) : $given;
		switch ($type) {
			case 'flag':
				return [$given === 'true', ''];
			case 'whole':
				return preg_match('/^-?\d{1,9}$/', $given) ? [(int) $given, ''] : [null, 'message-not_whole'];
			case 'number':
				return preg_match('/^-?\d{1,9}(\.\d{1,6})?$/', $dotted) ? [(float) $dotted, ''] : [null, 'message-not_number'];
			case 'money':
				return preg_match('/^\d{1,9}(\.\d{1,2})?$/', $dotted) ? [$dotted, ''] : [null, 'message-not_money'];
			case 'json':
				$decoded = json_decode($given, true, 32);
				return is_array($decoded) ? [$decoded === [] && $given[0] === '{' ? new stdClass : $decoded, ''] : [null, 'message-not_json'];
			default:
				return [$given, ''];
		}
	}

	/**
	 * Columns the controller has and these pages do not know yet: name => type.
	 */
	public static function further(array $columns, array $known, array $editors): array {
		$found = [];
		foreach ($columns as $name => $column) {
			if (!isset($known[$name]) && !in_array($name, $editors, true) && isset(self::EXPECTED[$column['expected'] ?? ''])) {
				$found[$name] = self::EXPECTED[$column['expected']];
			}
		}
		return $found;
	}

	/** Sections of the form for columns that come with a controller, by how their names begin. */
	const SECTIONS = [
		'functions_offered' => '/^enable_functions$/', 'transfers' => '/^(transfer_|hold_)/', 'recording' => '/^record/', 'words' => '/^(legal_notice|voicemail_)/', 'hours' => '/^(closed_|time_condition)/',
		'turns' => '/^(turn_|resume_|ignore_|greeting_|comfort_)/', 'expert' => '/^/',
	];

	/**
	 * Of further columns those of one section: the first that fits has a column.
	 */
	public static function section(array $further, string $section): array {
		return array_filter($further, function ($name) use ($section) {
			foreach (self::SECTIONS as $key => $pattern) {
				if (preg_match($pattern, $name)) {
					return $key === $section;
				}
			}
			return false;
		}, ARRAY_FILTER_USE_KEY);
	}

	/**
	 * Where the AI may transfer to, as the editor sends it; what other versions put there stays.
	 */
	public static function transfer_rules(array $post): array {
		$rules = [];
		foreach (array_slice(is_array($post['transfer_rules'] ?? null) ? $post['transfer_rules'] : [], 0, 256) as $given) {
			if (!is_array($given)) {
				continue;
			}
			$text = function (string $name) use ($given): string {
				return is_string($given[$name] ?? null) ? trim($given[$name]) : '';
			};
			$destination = $text('destination') === '_other' ? $text('other') : $text('destination');
			if ($destination === '' && $text('department') === '') {
				continue;
			}
			$kept = json_decode($text('kept'), true, 16);
			$rule = ['department' => $text('department'), 'destination' => $destination, 'description' => $text('description')];
			$rules[] = array_filter($rule, 'strlen') + (is_array($kept) ? array_diff_key($kept, $rule) : []);
		}
		return $rules;
	}

	/**
	 * Functions it offers, as ticked.
	 */
	public static function functions(array $post): array {
		$ticked = is_array($post['functions_config'] ?? null) ? $post['functions_config'] : [];
		return array_values(array_intersect(self::FUNCTIONS, array_filter($ticked, 'is_string')));
	}

	const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

	/**
	 * When it answers, as the editor sends it; null: always.
	 */
	public static function business_hours(array $post): ?array {
		if (($post['hours_always'] ?? 'true') === 'true') {
			return null;
		}
		$hours = [];
		foreach (self::DAYS as $day) {
			$spans = [];
			foreach (is_array($post['hours'][$day] ?? null) ? $post['hours'][$day] : [] as $span) {
				$from = is_string($span['from'] ?? null) ? trim($span['from']) : '';
				$to = is_string($span['to'] ?? null) ? trim($span['to']) : '';
				if ($from !== '' || $to !== '') {
					$spans[] = [$from, $to];
				}
			}
			if ($spans) {
				$hours[$day] = $spans;
			}
		}
		$closed = is_string($post['closed_dates'] ?? null) ? preg_split('/[\s,;]+/', $post['closed_dates'], 400, PREG_SPLIT_NO_EMPTY) : [];
		if ($closed) {
			$hours['closed_dates'] = $closed;
		}
		return $hours;
	}

	/**
	 * Settings of a kind of provider: those with a field of their own, and the rest as JSON.
	 *
	 * @param array $wrong gets a label where something is wrong
	 * @return array|stdClass
	 */
	public static function provider_settings(array $post, array &$wrong) {
		list($rest, $bad) = self::read($post, ['provider_settings' => 'json']);
		$wrong += $bad;
		$settings = (array) ($rest['provider_settings'] ?? []);
		$given = is_array($post['settings'] ?? null) ? $post['settings'] : [];
		$types = is_array($post['setting_types'] ?? null) ? $post['setting_types'] : [];
		foreach (array_slice($given, 0, 200) as $name => $value) {
			if (!is_string($value) || trim($value) === '' || !preg_match('/^[a-z][a-z0-9_]{0,60}$/', (string) $name)) {
				continue;
			}
			$type = ['integer' => 'whole', 'number' => 'number', 'boolean' => 'flag', 'object' => 'json', 'list' => 'json'][is_string($types[$name] ?? null) ? $types[$name] : ''] ?? 'text';
			list($read, $problem) = self::value(trim($value), $type);
			if ($problem !== '') {
				$wrong['of_'.$name] = $problem;
			}
			else {
				$settings[$name] = $read;
			}
		}
		return $settings ?: new stdClass;
	}
}
