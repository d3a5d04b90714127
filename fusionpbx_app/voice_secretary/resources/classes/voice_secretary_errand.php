<?php

/**
 * What calls left to be delivered, of one domain: read from the database, acted on by the controller.
 */
class voice_secretary_errand extends voice_secretary_rows {

	const STATES = ['queued', 'running', 'delivered', 'dead'];

	protected function table(): string { return 'v_voice_realtime_errands'; }
	protected function key(): string { return 'errand_uuid'; }
	protected function path(): string { return '/errands'; }
	protected function permission(): string { return 'voice_secretary_errand'; }

	protected function copied(array $row, string $suffix): array {
		return $row;
	}

	/**
	 * Newest first; those given up before all others. Times are in the zone of the domain.
	 */
	public function list(string $state, string $zone): array {
		$parameters = ['domain_uuid' => $this->domain_uuid, 'zone' => $zone];
		$sql = "select errand_uuid, conversation_uuid, kind, state, attempts, last_error, to_char(created_at at time zone :zone, 'YYYY-MM-DD HH24:MI') as created
			from v_voice_realtime_errands where domain_uuid = :domain_uuid";
		if (in_array($state, self::STATES, true)) {
			$sql .= ' and state = :state';
			$parameters['state'] = $state;
		}
		return $this->database->select($sql." order by state = 'dead' desc, created_at desc limit 500", $parameters, 'all') ?: [];
	}

	/**
	 * Send one again, or drop it; `$actor` is whom the audit names.
	 */
	public function act(string $what, $uuid, string $actor): voice_secretary_answer {
		if (!permission_exists($this->permission().'_edit')) {
			return new voice_secretary_answer(0, '', 'not_allowed');
		}
		if (!$this->owns($uuid)) {
			return new voice_secretary_answer(404, '');
		}
		$query = $actor === '' ? '' : '?actor='.rawurlencode(mb_substr($actor, 0, 200));
		return $what === 'retry'
			? $this->api->domain('POST', $this->path().'/'.$uuid.'/retry'.$query)
			: $this->api->domain('DELETE', $this->path().'/'.$uuid.$query);
	}
}
