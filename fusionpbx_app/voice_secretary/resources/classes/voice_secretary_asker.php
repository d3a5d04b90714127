<?php

/**
 * Answers what the pages' scripts ask. Each question needs its own permission, and names nothing of
 * another domain: rows are proved to be the domain's own, paths hold the session's domain.
 */
class voice_secretary_asker {

	const PREVIEW_S = 25;
	const TEST_S = 20;

	/** question => permissions, one of which is needed */
	const QUESTIONS = [
		'judge_secretary' => ['voice_secretary_add', 'voice_secretary_edit'],
		'judge_provider' => ['voice_secretary_provider_add', 'voice_secretary_provider_edit'],
		'estimate' => ['voice_secretary_view'],
		'preview' => ['voice_secretary_edit', 'voice_secretary_add', 'voice_secretary_provider_edit'],
		'test_provider' => ['voice_secretary_provider_view'],
		'check' => ['voice_secretary_view'],
		'test_call' => ['voice_secretary_talk'],
		'test_result' => ['voice_secretary_talk'],
		'talk' => ['voice_secretary_talk'],
		'watch' => ['voice_secretary_conversation_view'],
		'turns' => ['voice_secretary_conversation_view'],
		'hang_up' => ['voice_secretary_conversation_control'],
		'tell' => ['voice_secretary_conversation_control'],
		'listen' => ['voice_secretary_conversation_control'],
		'takeover' => ['voice_secretary_conversation_control'],
	];

	private $secretaries;
	private $providers;
	private $conversations;
	private $registry;
	private $words;
	private $text;
	private $api;
	private $browser_path;

	public function __construct(database $database, string $domain_uuid, array $text) {
		$of = ['database' => $database, 'domain_uuid' => $domain_uuid];
		$this->secretaries = new voice_secretary_realtime($of);
		$this->api = $this->secretaries->api();
		$this->providers = new voice_secretary_provider($of + ['api' => $this->api]);
		$this->conversations = new voice_secretary_conversation($of);
		$this->registry = new voice_secretary_registry($this->api);
		$this->words = new voice_secretary_words($text);
		$this->text = $text;
		$settings = new settings(['database' => $database]);
		$path = (string) $settings->get('voice_secretary', 'browser_path', '/voice-ai');
		$this->browser_path = preg_match('#^(/[A-Za-z0-9._~-]+)+$#', $path) ? $path : '';
	}

	/**
	 * @return array|voice_secretary_answer what goes out as JSON; an answer whose body is sound
	 */
	public function answer(string $question, array $given) {
		$may = array_filter(self::QUESTIONS[$question] ?? [], 'permission_exists');
		if (!$may) {
			return $this->no($this->text['message-api_not_allowed']);
		}
		$told = [];
		foreach ($given as $name => $value) {
			if (is_string($value) && strlen($value) <= 1000) {
				$told[$name] = $value;
			}
		}
		switch ($question) {
			case 'judge_secretary':
			case 'judge_provider':
				return $this->{$question}($given, $told['id'] ?? '');
			default:
				return $this->{$question}($told + array_fill_keys(['id', 'row', 'kind', 'voice', 'text', 'model', 'provider', 'calls', 'minutes', 'ring', 'extension', 'test', 'call', 'after'], ''));
		}
	}

	private function no(string $said): array {
		return ['ok' => false, 'said' => $said];
	}

	private function problem(voice_secretary_answer $answer): array {
		return $this->no($this->words->problem($answer, $this->api->url()));
	}

	private function judge_secretary(array $given, string $id): array {
		$further = voice_secretary_fields::further($this->registry->columns('secretary'), voice_secretary_fields::SECRETARY, voice_secretary_fields::SECRETARY_EDITORS);
		$fields = voice_secretary_fields::SECRETARY + $further;
		list($values, $wrong) = voice_secretary_fields::read($given, $fields + ['provider_config' => 'json']);
		list($speed, $wrong_speed) = voice_secretary_fields::read($given, ['voice_speed' => 'number']);
		$values['voice_settings'] = isset($speed['voice_speed']) ? ['speed' => $speed['voice_speed']] : new stdClass;
		$values['transfer_rules'] = voice_secretary_fields::transfer_rules($given);
		$values['business_hours'] = voice_secretary_fields::business_hours($given);
		$answer = $this->secretaries->judge($id === '' ? null : $id, $values);
		return $this->judged($answer, $wrong + $wrong_speed, array_merge(array_keys($fields), voice_secretary_fields::SECRETARY_EDITORS));
	}

	private function judge_provider(array $given, string $id): array {
		list($values, $wrong) = voice_secretary_fields::read($given, voice_secretary_fields::PROVIDER);
		$values['provider_settings'] = voice_secretary_fields::provider_settings($given, $wrong);
		$answer = $this->providers->judge($id === '' ? null : $id, $values);
		return $this->judged($answer, $wrong, array_merge(array_keys(voice_secretary_fields::PROVIDER), ['provider_settings']));
	}

	private function judged(voice_secretary_answer $answer, array $wrong, array $known): array {
		if (!$answer->ok() && !$answer->remarks()) {
			return $this->problem($answer);
		}
		$fields = array_map(function ($label) { return $this->text[$label]; }, $wrong) + $this->words->by_field($answer, $known);
		if (isset($fields['voice_settings'])) {
			$fields['voice_speed'] = $fields['voice_settings'];
		}
		return ['ok' => !$fields, 'fields' => (object) $fields, 'warnings' => array_values(array_filter($answer->data['warnings'] ?? [], 'is_string'))];
	}

	private function estimate(array $told): array {
		$row = $told['row'] === '' ? [] : $this->providers->find($told['row']);
		$model = $told['model'] !== '' ? $told['model'] : (string) ($row['model'] ?? '');
		$body = ['provider' => $row['realtime_provider'] ?? $told['provider'], 'model' => $model,
			'minutes_per_call' => max(1, min(60, (int) $told['minutes'])), 'calls_per_month' => max(1, min(1000000, (int) $told['calls']))];
		$answer = $model === '' ? new voice_secretary_answer(404, '') : $this->api->common('POST', '/estimate', $body);
		if ($answer->status === 404 || $answer->status === 422) {
			return $this->no($this->text['message-no_price']);
		}
		return $answer->ok()
			? ['ok' => true, 'model' => $model, 'per_minute' => $this->amount($answer, 'per_minute_usd'), 'per_month' => $this->amount($answer, 'per_month_usd')]
			: $this->problem($answer);
	}

	private function amount(voice_secretary_answer $answer, string $name): string {
		$told = $answer->data[$name] ?? '';
		return is_string($told) ? str_replace('.', $this->text['number-point'], $told) : '';
	}

	/**
	 * The row that is named, else the first of the kind, as a call would take it.
	 */
	private function provider_of(array $told): ?string {
		if ($told['row'] !== '') {
			return $this->providers->owns($told['row']) ? $told['row'] : null;
		}
		foreach ($this->providers->list() as $row) {
			if ($row['enabled'] === 'true' && $row['realtime_provider'] === $told['kind']) {
				return $row['voice_realtime_provider_uuid'];
			}
		}
		return null;
	}

	private function preview(array $told) {
		$uuid = $this->provider_of($told);
		if ($uuid === null) {
			return $this->no($this->text['message-no_such_provider']);
		}
		$text = mb_substr(trim(preg_replace('/[\x00-\x1f\x7f]+/u', ' ', $told['text']) ?? ''), 0, 300);
		$body = ['text' => $text === '' ? 'Hello.' : $text];
		if ($told['voice'] !== '') {
			$body['voice'] = $told['voice'];
		}
		$answer = $this->api->domain('POST', '/providers/'.$uuid.'/preview', $body, self::PREVIEW_S);
		return $answer->ok() ? $answer : $this->problem($answer);
	}

	private function test_provider(array $told): array {
		if (!$this->providers->owns($told['id'])) {
			return $this->no($this->text['message-no_such_provider']);
		}
		$answer = $this->api->domain('POST', '/providers/'.$told['id'].'/test', null, self::TEST_S);
		if (!$answer->ok()) {
			return $this->problem($answer);
		}
		if (!empty($answer->data['ok'])) {
			return ['ok' => true, 'said' => sprintf($this->text['message-provider_works'], (int) $answer->data['connect_ms'], (int) $answer->data['ready_ms'])];
		}
		$error = is_array($answer->data['error'] ?? null) ? $answer->data['error'] : [];
		$kind = is_string($error['kind'] ?? null) ? $error['kind'] : '';
		$told = trim((is_string($error['code'] ?? null) ? $error['code'] : '').': '.(is_string($error['message'] ?? null) ? $error['message'] : ''), ': ');
		return $this->no(($this->text['message-provider_'.$kind] ?? $this->text['message-provider_failed']).($told === '' ? '' : ' ('.$told.')'));
	}

	private function extension_of(string $id): string {
		return (string) ($this->secretaries->find($id)['extension'] ?? '');
	}

	private function check(array $told): array {
		$extension = $this->extension_of($told['id']);
		if ($extension === '') {
			return $this->no($this->text['message-no_number']);
		}
		$answer = $this->api->domain('GET', '/extensions/'.rawurlencode($extension).'/check');
		if (!$answer->ok()) {
			return $this->problem($answer);
		}
		$data = $answer->data;
		$doubts = array_values(array_filter(array_merge($data['problems'] ?? [], $data['warnings'] ?? []), 'is_string'));
		$outcome = is_string($data['outcome'] ?? null) ? $data['outcome'] : '';
		return ['ok' => $outcome === 'realtime', 'said' => $this->text['message-check_'.$outcome] ?? $outcome, 'doubts' => $doubts];
	}

	private function test_call(array $told): array {
		$extension = $this->extension_of($told['id']);
		if ($extension === '') {
			return $this->no($this->text['message-no_number']);
		}
		$answer = $told['ring'] === ''
			? $this->api->domain('POST', '/test-calls/simulated', ['extension' => $extension])
			: $this->api->domain('POST', '/test-calls/telephone', ['extension' => $extension, 'ring' => $told['ring']]);
		return $answer->ok() ? ['ok' => true, 'test' => $answer->data['test_call_uuid'] ?? ''] : $this->problem($answer);
	}

	private function test_result(array $told): array {
		if (!is_uuid($told['test'])) {
			return $this->no($this->text['message-api_gone']);
		}
		$answer = $this->api->domain('GET', '/test-calls/'.$told['test']);
		if (!$answer->ok()) {
			return $this->problem($answer);
		}
		return ['ok' => true] + array_intersect_key($answer->data, array_flip(['state', 'simulated', 'telephone', 'problem']));
	}

	private function ticket(string $scope, string $path): array {
		if ($this->browser_path === '') {
			return $this->no($this->text['message-no_browser_path']);
		}
		$answer = $this->api->domain('POST', '/tickets', ['scope' => $scope, 'seconds' => 60]);
		if (!$answer->ok()) {
			return $this->problem($answer);
		}
		return ['ok' => true, 'url' => $this->browser_path.$path.'?ticket='.rawurlencode((string) ($answer->data['ticket'] ?? ''))];
	}

	private function talk(array $told): array {
		$extension = $this->extension_of($told['id']);
		if ($extension === '') {
			return $this->no($this->text['message-no_number']);
		}
		return $this->ticket('talk/'.$extension, '/talk/'.$this->conversations->domain_uuid().'/'.rawurlencode($extension));
	}

	private function watch(array $told): array {
		$row = $this->conversations->find($told['id']);
		if (!$row) {
			return $this->no($this->text['message-api_gone']);
		}
		return $this->ticket('calls/'.$row['call_uuid'].'/events', '/api/v1/domains/'.$this->conversations->domain_uuid().'/calls/'.$row['call_uuid'].'/events');
	}

	private function turns(array $told): array {
		$row = $this->conversations->find($told['id']);
		if (!$row) {
			return $this->no($this->text['message-api_gone']);
		}
		return ['ok' => true, 'ended' => $row['ended_at'] !== null, 'turns' => $this->conversations->turns($told['id'])];
	}

	private function hang_up(array $told): array {
		return $this->act($told, 'hangup', null);
	}

	private function tell(array $told): array {
		return $this->act($told, 'tell', ['text' => trim($told['text']), 'respond' => $told['after'] === 'respond']);
	}

	private function listen(array $told): array {
		return $this->act($told, 'listen', ['extension' => $told['ring']]);
	}

	private function takeover(array $told): array {
		return $this->act($told, 'takeover', ['extension' => $told['ring']]);
	}

	/**
	 * Something done to a call going on; the controller writes down who did it.
	 */
	private function act(array $told, string $what, ?array $body): array {
		$row = $this->conversations->find($told['id']);
		if (!$row || $row['ended_at'] !== null) {
			return $this->no($this->text['message-api_gone']);
		}
		if (isset($body['extension']) && !isset($this->secretaries->destinations()['extensions'][$body['extension']])) {
			return $this->no($this->text['message-expected_dialable']);
		}
		$actor = is_string($_SESSION['username'] ?? null) && $_SESSION['username'] !== '' ? '?actor='.rawurlencode(mb_substr($_SESSION['username'], 0, 200)) : '';
		$answer = $this->api->domain('POST', '/calls/'.rawurlencode($row['call_uuid']).'/'.$what.$actor, $body);
		if (!$answer->ok()) {
			return $this->problem($answer);
		}
		return in_array($answer->data['result'] ?? 'done', ['done', 'asked'], true)
			? ['ok' => true, 'said' => $this->text['message-act_'.$what]]
			: $this->no($this->text['message-act_refused']);
	}
}
