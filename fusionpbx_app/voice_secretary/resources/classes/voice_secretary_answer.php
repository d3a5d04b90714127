<?php

/**
 * What came of asking the controller.
 */
class voice_secretary_answer {

	/** @var int HTTP status, 0 when nothing came */
	public $status;

	/** @var string the body as it came: sound, a spreadsheet */
	public $body;

	/** @var string Content-Type */
	public $type;

	/** @var array what the body says */
	public $data = [];

	/** @var string empty when all went well; else the end of a label 'message-api_…' */
	public $problem;

	const KINDS = [
		400 => 'refused', 401 => 'token', 403 => 'closed', 404 => 'gone', 408 => 'timeout',
		409 => 'conflict', 413 => 'too_long', 422 => 'invalid', 429 => 'busy', 503 => 'unavailable',
	];

	public function __construct(int $status, string $body, string $problem = '', string $type = '') {
		$this->status = $status;
		$this->body = $body;
		$this->type = $type;
		$is_json = strpos($type, 'json') !== false;
		$data = $is_json ? json_decode($body, true, 64) : null;
		$this->data = is_array($data) ? $data : [];
		$this->problem = $problem;
		if ($problem === '' && ($status < 200 || $status > 299)) {
			$this->problem = self::KINDS[$status] ?? 'failed';
		}
		elseif ($problem === '' && $is_json && !is_array($data)) {
			$this->problem = 'failed';
		}
	}

	/**
	 * All went well.
	 */
	public function ok(): bool {
		return $this->problem === '';
	}

	/**
	 * The controller itself cannot be asked: pages show what the database knows.
	 */
	public function away(): bool {
		return in_array($this->problem, ['unreachable', 'timeout', 'token', 'closed', 'bad_url', 'failed'], true);
	}

	/**
	 * What is wrong, field by field: of a refusal, or of a judgement.
	 */
	public function remarks(): array {
		$found = $this->data['fields'] ?? $this->data['problems'] ?? [];
		return array_values(array_filter(is_array($found) ? $found : [], 'is_array'));
	}

	/**
	 * The kind of problem the controller names: 'budget-exhausted', 'provider-authentication'.
	 */
	public function kind(): string {
		$type = $this->data['type'] ?? '';
		return is_string($type) ? str_replace('urn:voice-ai:problem:', '', $type) : '';
	}

	/**
	 * What the controller says for people, in the operator's language as far as it knows it.
	 */
	public function detail(): string {
		$detail = $this->data['detail'] ?? '';
		$problems = $this->remarks() ? [] : array_filter((array) ($this->data['problems'] ?? []), 'is_string');
		return implode(': ', array_filter([is_string($detail) ? $detail : '', implode('; ', array_slice($problems, 0, 3))], 'strlen'));
	}
}
