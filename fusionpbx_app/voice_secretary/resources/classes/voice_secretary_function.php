<?php

/**
 * Functions a domain brings of its own: HTTP requests and MCP servers. Keys go to the controller to be sealed.
 */
class voice_secretary_function extends voice_secretary_rows {

	const FIELDS = [
		'function_name' => 'text', 'function_kind' => 'text', 'description' => 'long', 'enabled' => 'flag',
		'url' => 'text', 'http_method' => 'text', 'parameters' => 'json', 'argument_places' => 'json', 'result_fields' => 'json',
		'headers' => 'json', 'mcp_tools' => 'json', 'extensions' => 'json', 'timeout_seconds' => 'whole', 'max_result_bytes' => 'whole',
	];

	/** What an empty field of JSON means. */
	const LISTS = ['mcp_tools', 'extensions'];

	protected function table(): string { return 'v_voice_realtime_functions'; }
	protected function key(): string { return 'voice_realtime_function_uuid'; }
	protected function path(): string { return '/functions'; }
	protected function permission(): string { return 'voice_secretary_function'; }

	protected function copied(array $row, string $suffix): array {
		// The controller never tells a key or a header's value: they are given anew.
		$row = array_intersect_key($row, self::FIELDS);
		unset($row['headers']);
		$row['function_name'] = substr(($row['function_name'] ?? '').'_2', 0, 64);
		$row['enabled'] = false;
		return $row;
	}

	public function list(): array {
		$sql = 'select voice_realtime_function_uuid, function_name, function_kind, description, url, cast(enabled as text) as enabled
			from v_voice_realtime_functions where domain_uuid = :domain_uuid order by function_name limit 500';
		return $this->database->select($sql, ['domain_uuid' => $this->domain_uuid], 'all') ?: [];
	}

	/**
	 * A row without its secrets.
	 */
	public function find($uuid): array {
		return $this->without_secrets(parent::find($uuid));
	}

	const TRY_S = 40;

	/**
	 * Call it as a model would: a real request.
	 *
	 * @param string $tool of an MCP server; empty: its first
	 */
	public function try_out(string $uuid, array $arguments, string $tool): voice_secretary_answer {
		return $this->acted($uuid, 'try', ['arguments' => (object) $arguments, 'tool' => $tool]);
	}

	/**
	 * Ask an MCP server for its tools; those that are allowed are kept.
	 */
	public function refresh(string $uuid): voice_secretary_answer {
		return $this->acted($uuid, 'refresh', null);
	}

	private function acted(string $uuid, string $what, ?array $body): voice_secretary_answer {
		if (!permission_exists('voice_secretary_function_edit') || !$this->owns($uuid)) {
			return new voice_secretary_answer(404, '');
		}
		return $this->api->domain('POST', '/functions/'.$uuid.'/'.$what, $body, self::TRY_S);
	}

	/**
	 * What a form sent, as values for the controller; headers that were not typed stay.
	 *
	 * @return array [values, name => label of what is wrong with it]
	 */
	public static function typed(array $post): array {
		list($values, $wrong) = voice_secretary_fields::read($post, self::FIELDS);
		foreach (self::FIELDS as $name => $type) {
			if ($type === 'json' && array_key_exists($name, $values) && $values[$name] === null) {
				$values[$name] = in_array($name, self::LISTS, true) ? [] : new stdClass;
			}
		}
		if (trim(is_string($post['headers'] ?? null) ? $post['headers'] : '') === '') {
			unset($values['headers']);
		}
		return [$values, $wrong];
	}
}
