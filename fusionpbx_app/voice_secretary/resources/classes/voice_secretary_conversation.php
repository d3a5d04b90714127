<?php

/**
 * Conversations of one domain: read from the database, so that they can be seen with the controller away.
 */
class voice_secretary_conversation {

	const ORDERS = ['started_at', 'caller_id', 'destination', 'outcome', 'duration_seconds', 'avg_latency_ms', 'estimated_cost', 'total_turns'];
	const OUTCOMES = ['completed', 'transferred', 'abandoned', 'timeout', 'failed', 'fallback', 'refused'];
	const EXPORTED_AT_ONCE = 1000;

	private $database;
	private $domain_uuid;

	public function __construct(array $setting_array = []) {
		$this->database = $setting_array['database'] ?? database::new();
		$this->domain_uuid = $setting_array['domain_uuid'] ?? $_SESSION['domain_uuid'] ?? '';
	}

	public function domain_uuid(): string {
		return $this->domain_uuid;
	}

	/**
	 * Conditions of the list as a request gives them, cleaned: what is no condition is left out.
	 */
	public static function wanted(array $given): array {
		$wanted = [];
		foreach (['from', 'to'] as $name) {
			if (is_string($given[$name] ?? null) && preg_match('/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/', $given[$name])) {
				$wanted[$name] = $given[$name];
			}
		}
		if (in_array($given['outcome'] ?? null, array_merge(self::OUTCOMES, ['running']), true)) {
			$wanted['outcome'] = $given['outcome'];
		}
		if (is_string($given['secretary'] ?? null) && is_uuid($given['secretary'])) {
			$wanted['secretary'] = $given['secretary'];
		}
		foreach (['caller' => 64, 'text' => 100] as $name => $most) {
			if (is_string($given[$name] ?? null) && trim($given[$name]) !== '' && mb_check_encoding($given[$name], 'UTF-8')) {
				$wanted[$name] = mb_substr(trim(str_replace("\0", '', $given[$name])), 0, $most);
			}
		}
		if (is_string($given['cost'] ?? null) && preg_match('/^\d{1,6}([.,]\d{1,4})?$/', $given['cost'])) {
			$wanted['cost'] = str_replace(',', '.', $given['cost']);
		}
		return $wanted;
	}

	private function where(array $wanted, string $zone): array {
		$conditions = ['c.domain_uuid = :domain_uuid'];
		$parameters = ['domain_uuid' => $this->domain_uuid];
		if (isset($wanted['from'])) {
			$conditions[] = 'c.started_at >= cast(:from_day as timestamp) at time zone :from_zone';
			$parameters += ['from_day' => $wanted['from'], 'from_zone' => $zone];
		}
		if (isset($wanted['to'])) {
			$conditions[] = "c.started_at < (cast(:to_day as timestamp) + interval '1 day') at time zone :to_zone";
			$parameters += ['to_day' => $wanted['to'], 'to_zone' => $zone];
		}
		if (($wanted['outcome'] ?? '') === 'running') {
			$conditions[] = 'c.ended_at is null';
		}
		elseif (isset($wanted['outcome'])) {
			$conditions[] = 'c.outcome = :outcome';
			$parameters['outcome'] = $wanted['outcome'];
		}
		if (isset($wanted['secretary'])) {
			$conditions[] = 'c.secretary_realtime_uuid = :secretary';
			$parameters['secretary'] = $wanted['secretary'];
		}
		if (isset($wanted['caller'])) {
			$conditions[] = "(c.caller_id like :caller or lower(coalesce(c.caller_name, '')) like lower(:caller_name))";
			$like = '%'.addcslashes($wanted['caller'], '%_\\').'%';
			$parameters += ['caller' => $like, 'caller_name' => $like];
		}
		if (isset($wanted['text'])) {
			$conditions[] = 'exists (select 1 from v_voice_turns_realtime t where t.domain_uuid = c.domain_uuid and t.conversation_uuid = c.conversation_uuid and t.content ilike :said)';
			$parameters['said'] = '%'.addcslashes($wanted['text'], '%_\\').'%';
		}
		if (isset($wanted['cost'])) {
			$conditions[] = 'c.estimated_cost >= cast(:cost as numeric)';
			$parameters['cost'] = $wanted['cost'];
		}
		return [' where '.implode(' and ', $conditions), $parameters];
	}

	public function count(array $wanted, string $zone): int {
		list($where, $parameters) = $this->where($wanted, $zone);
		return (int) $this->database->select('select count(*) from v_voice_conversations_realtime c'.$where, $parameters, 'column');
	}

	/**
	 * One page, with the secretary's name; times in the zone of the domain.
	 */
	public function list(array $wanted, string $zone, string $order_by, string $order, int $limit, int $offset): array {
		list($where, $parameters) = $this->where($wanted, $zone);
		$order_by = in_array($order_by, self::ORDERS, true) ? $order_by : 'started_at';
		$rest = $where.' order by c.'.$order_by.' '.($order === 'asc' ? 'asc' : 'desc').' nulls last, c.conversation_uuid limit '.max(1, $limit).' offset '.max(0, $offset);
		return $this->summaries($rest, $parameters, $zone);
	}

	/**
	 * The newest that began before the last row of the page before: a call that comes meanwhile moves none.
	 */
	private function older(array $wanted, string $zone, ?array $last): array {
		list($where, $parameters) = $this->where($wanted, $zone);
		if ($last !== null) {
			$where .= ' and (c.started_at, c.conversation_uuid) < (cast(:last_began as timestamptz), cast(:last_uuid as uuid))';
			$parameters += ['last_began' => $last['began'], 'last_uuid' => $last['conversation_uuid']];
		}
		return $this->summaries($where.' order by c.started_at desc, c.conversation_uuid desc limit '.self::EXPORTED_AT_ONCE, $parameters, $zone);
	}

	private function summaries(string $rest, array $parameters, string $zone): array {
		$sql = "select c.conversation_uuid, c.call_uuid, c.secretary_realtime_uuid, s.secretary_name, c.caller_id, c.caller_name, c.destination,
			to_char(c.started_at at time zone :zone, 'YYYY-MM-DD HH24:MI:SS') as started, cast(c.started_at as text) as began, c.ended_at, c.duration_seconds,
			case when c.ended_at is null then (select count(*) from v_voice_turns_realtime t where t.domain_uuid = c.domain_uuid
				and t.conversation_uuid = c.conversation_uuid and t.role = 'user') else c.total_turns end as total_turns,
			c.interruptions, c.avg_latency_ms, c.outcome, c.end_cause, c.error_code, c.transfer_destination, c.provider, c.model, c.language, c.estimated_cost
			from v_voice_conversations_realtime c left join v_voice_secretaries_realtime s
				on s.secretary_realtime_uuid = c.secretary_realtime_uuid and s.domain_uuid = c.domain_uuid"
			.$rest;
		return $this->database->select($sql, $parameters + ['zone' => $zone], 'all') ?: [];
	}

	/**
	 * One of the domain, whole; empty when it has none of this key.
	 */
	public function find($uuid, string $zone = 'UTC'): array {
		if (!is_string($uuid) || !is_uuid($uuid)) {
			return [];
		}
		$sql = "select c.*, s.secretary_name, to_char(c.started_at at time zone :zone, 'YYYY-MM-DD HH24:MI:SS') as started
			from v_voice_conversations_realtime c left join v_voice_secretaries_realtime s
				on s.secretary_realtime_uuid = c.secretary_realtime_uuid and s.domain_uuid = c.domain_uuid
			where c.conversation_uuid = :uuid and c.domain_uuid = :domain_uuid";
		$row = $this->database->select($sql, ['uuid' => $uuid, 'domain_uuid' => $this->domain_uuid, 'zone' => $zone], 'row');
		return is_array($row) ? $row : [];
	}

	private function rows(string $sql, string $uuid): array {
		return $this->database->select($sql, ['uuid' => $uuid, 'domain_uuid' => $this->domain_uuid], 'all') ?: [];
	}

	/**
	 * What was said, in order, with where the time before each answer went.
	 */
	public function turns(string $uuid): array {
		return $this->rows("select t.turn_number, t.role, t.content, cast(t.interrupted as text) as interrupted, t.heard_ms, t.total_ms, t.network_ms,
			t.model_ms, t.buffer_ms, t.playout_ms, round(extract(epoch from (t.started_at - coalesce(c.answered_at, c.started_at))) * 1000) as at_ms,
			round(extract(epoch from (t.started_at - coalesce(c.recording_started_at, c.answered_at, c.started_at))) * 1000) as seek_ms
			from v_voice_turns_realtime t join v_voice_conversations_realtime c on c.conversation_uuid = t.conversation_uuid and c.domain_uuid = t.domain_uuid
			where t.conversation_uuid = :uuid and t.domain_uuid = :domain_uuid order by t.turn_number limit 5000", $uuid);
	}

	public function functions(string $uuid): array {
		return $this->rows('select function_name, arguments, result, status, error, duration_ms from v_voice_function_calls_realtime
			where conversation_uuid = :uuid and domain_uuid = :domain_uuid order by started_at limit 500', $uuid);
	}

	public function transfers(string $uuid): array {
		return $this->rows('select transfer_type, destination, reason, status, hangup_cause from v_voice_transfers_realtime
			where conversation_uuid = :uuid and domain_uuid = :domain_uuid order by started_at limit 100', $uuid);
	}

	public function usage(string $uuid): array {
		return $this->rows('select u.purpose, u.provider, p.provider_label, u.model, sum(u.input_text_tokens + u.input_audio_tokens + u.input_image_tokens) as input_tokens,
			sum(u.output_text_tokens + u.output_audio_tokens) as output_tokens, sum(u.cost_usd) as cost
			from v_voice_usage_realtime u left join v_voice_realtime_providers p on p.domain_uuid = u.domain_uuid and p.voice_realtime_provider_uuid = u.voice_realtime_provider_uuid
			where u.conversation_uuid = :uuid and u.domain_uuid = :domain_uuid group by 1, 2, 3, 4, u.voice_realtime_provider_uuid order by 1, 2, 3, 4', $uuid);
	}

	/**
	 * Where FusionPBX keeps the recording of the call; empty when it has none that can be read. The
	 * secretary's own is played by the controller, which does not believe the path in a row.
	 */
	public function recording(array $row): string {
		if (!permission_exists('xml_cdr_view') && !permission_exists('voice_secretary_conversation_view') || !$this->database->table_exists('v_xml_cdr') || !is_uuid($row['call_uuid'] ?? '')) {
			return '';
		}
		$sql = 'select record_path, record_name from v_xml_cdr where xml_cdr_uuid = :uuid and domain_uuid = :domain_uuid limit 1';
		$found = $this->database->select($sql, ['uuid' => $row['call_uuid'], 'domain_uuid' => $this->domain_uuid], 'row');
		$file = is_array($found) && !empty($found['record_name']) ? rtrim((string) $found['record_path'], '/').'/'.basename($found['record_name']) : '';
		return $file !== '' && is_file($file) && is_readable($file) && preg_match('/\.(wav|mp3)$/i', $file) ? $file : '';
	}

	/**
	 * The list as a spreadsheet. A cell that a spreadsheet would take for a formula begins with an apostrophe.
	 */
	public function export(array $wanted, string $zone, array $text): void {
		$columns = ['started', 'secretary_name', 'caller_id', 'caller_name', 'destination', 'outcome', 'end_cause', 'error_code', 'duration_seconds', 'total_turns', 'interruptions', 'avg_latency_ms', 'transfer_destination', 'provider', 'model', 'estimated_cost'];
		$file = fopen('php://output', 'w');
		fwrite($file, "\u{FEFF}");
		fputcsv($file, array_map(function ($name) use ($text) { return $text['label-'.$name] ?? $name; }, $columns), ',', '"', '');
		$last = null;
		do {
			$rows = $this->older($wanted, $zone, $last);
			foreach ($rows as $row) {
				fputcsv($file, array_map(function ($name) use ($row) { return self::cell($row[$name] ?? ''); }, $columns), ',', '"', '');
				$last = $row;
			}
		} while (count($rows) === self::EXPORTED_AT_ONCE);
		fclose($file);
	}

	public static function cell($value): string {
		$value = (string) $value;
		return $value !== '' && strpos("=+-@\t\r", $value[0]) !== false && !is_numeric($value) ? "'".$value : $value;
	}
}
