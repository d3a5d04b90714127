<?php

/**
 * What the controller knows of providers and of the columns of rows: forms are made of it, so that a
 * new provider needs no PHP. Empty when the controller is away.
 */
class voice_secretary_registry {

	private $api;
	private $providers;
	private $columns;

	public function __construct(voice_secretary_api $api) {
		$this->api = $api;
	}

	/**
	 * Kind => what it is: label, interfaces, models, voices, fields, features, unread.
	 */
	public function providers(): array {
		if ($this->providers === null) {
			$this->providers = [];
			$answer = $this->api->common('GET', '/registry');
			foreach (self::rows($answer->data['providers'] ?? []) as $one) {
				if (preg_match('/^[a-z0-9_]{1,50}$/', self::word($one['kind'] ?? ''))) {
					$this->providers[$one['kind']] = $one;
				}
			}
		}
		return $this->providers;
	}

	/**
	 * Kind => its name for people.
	 */
	public function labels(): array {
		$labels = ['openai' => 'OpenAI Realtime', 'elevenlabs' => 'ElevenLabs', 'gemini' => 'Gemini Live', 'custom' => 'Custom pipeline'];
		foreach ($this->providers() as $kind => $one) {
			$labels[$kind] = self::word($one['label'] ?? '') ?: $kind;
		}
		return $labels;
	}

	/**
	 * Name of a column => what it takes. Subject: secretary, provider, settings.
	 */
	public function columns(string $subject): array {
		if ($this->columns === null) {
			$this->columns = $this->api->common('GET', '/columns')->data;
		}
		$found = [];
		foreach (self::rows($this->columns[$subject] ?? []) as $column) {
			$found[self::word($column['name'] ?? '')] = $column;
		}
		return $found;
	}

	/**
	 * Ids of a kind's models that do a job, with the day each ends: 'speech', 'transcription'.
	 */
	public function models(string $kind, string $role = 'speech'): array {
		$found = [];
		foreach (self::rows($this->providers()[$kind]['models'] ?? []) as $model) {
			if (($model['role'] ?? 'speech') === $role) {
				$found[self::word($model['id'] ?? '')] = self::word($model['ends_on'] ?? '');
			}
		}
		return $found;
	}

	/**
	 * Ids of a kind's voices, with the languages each is for.
	 */
	public function voices(string $kind): array {
		$found = [];
		foreach (self::rows($this->providers()[$kind]['voices'] ?? []) as $voice) {
			$languages = is_array($voice['languages'] ?? null) ? $voice['languages'] : [];
			$found[self::word($voice['id'] ?? '')] = implode(', ', array_filter($languages, 'is_string'));
		}
		return $found;
	}

	/**
	 * What pages' scripts choose from, as JSON that may stand in a script element.
	 */
	public function for_scripts(): string {
		$told = [];
		foreach (array_keys($this->labels()) as $kind) {
			$one = $this->providers()[$kind] ?? [];
			$told[$kind] = [
				'models' => $this->models($kind),
				'transcription' => $this->models($kind, 'transcription'),
				'voices' => $this->voices($kind),
				'features' => array_values(array_filter((array) ($one['features'] ?? []), 'is_string')),
				'stages' => array_column(self::rows($one['key_variables'] ?? []), 'stage'),
			];
		}
		return json_encode($told, JSON_HEX_TAG | JSON_HEX_AMP | JSON_HEX_APOS | JSON_HEX_QUOT | JSON_INVALID_UTF8_SUBSTITUTE);
	}

	private static function rows($value): array {
		return array_filter(is_array($value) ? $value : [], 'is_array');
	}

	private static function word($value): string {
		return is_string($value) ? $value : '';
	}
}
