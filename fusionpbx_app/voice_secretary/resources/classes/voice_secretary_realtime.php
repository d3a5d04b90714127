<?php

/**
 * Secretaries: who answers which number of the domain.
 */
class voice_secretary_realtime extends voice_secretary_rows {

	const ORDERS = ['secretary_name', 'extension', 'language', 'enabled', 'processing_mode', 'domain_name'];
	const MODES = ['realtime', 'turn_based', 'auto'];

	/** Version 1 calls its flag `enabled` or `is_enabled`, boolean or text; a row switched off says nothing. */
	const MODE_OF_ROW = "coalesce(nullif(m.processing_mode, ''), 'turn_based')";
	const ROW_IS_ON = "coalesce(to_jsonb(m)->>'is_enabled', to_jsonb(m)->>'enabled', 'true') = 'true'";

	/** The mode of a number stands in version 1's table, where there is a row for it. */
	const MODE = "coalesce((select ".self::MODE_OF_ROW." from v_voice_secretaries m
		where m.domain_uuid = s.domain_uuid and m.extension = s.extension and ".self::ROW_IS_ON."
		order by m.voice_secretary_uuid limit 1), 'realtime')";

	protected function table(): string { return 'v_voice_secretaries_realtime'; }
	protected function key(): string { return 'secretary_realtime_uuid'; }
	protected function path(): string { return '/secretaries'; }
	protected function permission(): string { return 'voice_secretary'; }

	protected function copied(array $row, string $suffix): array {
		unset($row['secretary_realtime_uuid'], $row['domain_uuid']);
		$row['secretary_name'] = mb_substr(($row['secretary_name'] ?? '').' '.$suffix, 0, 255);
		unset($row['extension']); // two secretaries cannot have one number
		return $row;
	}

	/**
	 * How many there are.
	 */
	public function count(string $search, bool $all): int {
		list($where, $parameters) = $this->where($search, $all);
		return (int) $this->database->select('select count(*) from v_voice_secretaries_realtime s '.$where, $parameters, 'column');
	}

	/**
	 * One page of them, with the calls of the last thirty days.
	 */
	public function list(string $search, bool $all, string $order_by, string $order, int $limit, int $offset): array {
		list($where, $parameters) = $this->where($search, $all);
		$order_by = in_array($order_by, self::ORDERS, true) ? $order_by : 'extension';
		$sql = "select s.secretary_realtime_uuid, s.domain_uuid, d.domain_name, s.secretary_name, s.extension, s.language,
			s.realtime_provider, p.provider_label, cast(s.enabled as text) as enabled, ".self::MODE." as processing_mode,
			(select count(*) from v_voice_conversations_realtime c where c.domain_uuid = s.domain_uuid
				and c.secretary_realtime_uuid = s.secretary_realtime_uuid and c.started_at > now() - interval '30 days') as calls,
			(select sum(c.estimated_cost) from v_voice_conversations_realtime c where c.domain_uuid = s.domain_uuid
				and c.secretary_realtime_uuid = s.secretary_realtime_uuid and c.started_at > now() - interval '30 days') as cost
			from v_voice_secretaries_realtime s join v_domains d on d.domain_uuid = s.domain_uuid
			left join v_voice_realtime_providers p on p.voice_realtime_provider_uuid = s.voice_realtime_provider_uuid
				and p.domain_uuid = s.domain_uuid ".$where.' order by '.$order_by.' '.($order === 'desc' ? 'desc' : 'asc').', secretary_name asc limit '.max(1, $limit).' offset '.max(0, $offset);
		return $this->database->select($sql, $parameters, 'all') ?: [];
	}

	private function where(string $search, bool $all): array {
		$conditions = [];
		$parameters = [];
		if (!$all || !permission_exists('voice_secretary_all')) {
			$conditions[] = 's.domain_uuid = :domain_uuid';
			$parameters['domain_uuid'] = $this->domain_uuid;
		}
		if ($search !== '') {
			$conditions[] = "(lower(s.secretary_name) like :search or s.extension like :search)";
			$parameters['search'] = '%'.addcslashes(lower_case($search), '%_\\').'%';
		}
		return [$conditions ? 'where '.implode(' and ', $conditions) : '', $parameters ?: null];
	}

	/**
	 * How the number of a secretary is answered.
	 */
	public function mode(?string $extension): string {
		$sql = 'select '.self::MODE_OF_ROW.' from v_voice_secretaries m where m.domain_uuid = :domain_uuid and m.extension = :extension
			and '.self::ROW_IS_ON.' order by m.voice_secretary_uuid limit 1';
		$mode = $extension === null || $extension === '' ? '' : $this->database->select($sql, ['domain_uuid' => $this->domain_uuid, 'extension' => $extension], 'column');
		return in_array($mode, self::MODES, true) ? $mode : 'realtime';
	}

	/**
	 * Whether version 1 answers the number.
	 */
	public function has_turn_based(?string $extension): bool {
		$sql = 'select 1 from v_voice_secretaries m where m.domain_uuid = :domain_uuid and m.extension = :extension and '.self::ROW_IS_ON.' limit 1';
		return $extension !== null && $extension !== '' && (bool) $this->database->select($sql, ['domain_uuid' => $this->domain_uuid, 'extension' => $extension], 'column');
	}

	/**
	 * Say how a number of this domain is answered; the controller hears of it by itself.
	 */
	public function set_mode(string $extension, string $mode, string $name, string $prompt): bool {
		if (!in_array($mode, self::MODES, true) || $extension === '' || !(permission_exists('voice_secretary_edit') || permission_exists('voice_secretary_add'))) {
			return false;
		}
		if ($this->mode($extension) === $mode && ($mode === 'realtime' || $this->has_turn_based($extension))) {
			return true;
		}
		$parameters = ['domain_uuid' => $this->domain_uuid, 'extension' => $extension, 'mode' => $mode];
		if ($this->has_turn_based($extension)) {
			$sql = 'update v_voice_secretaries set processing_mode = :mode where domain_uuid = :domain_uuid and extension = :extension';
		}
		else {
			$sql = 'insert into v_voice_secretaries (voice_secretary_uuid, domain_uuid, secretary_name, personality_prompt, extension, processing_mode)
				values (:uuid, :domain_uuid, :name, :prompt, :extension, :mode)';
			$parameters += ['uuid' => uuid(), 'name' => $name, 'prompt' => $prompt];
		}
		return $this->database->execute($sql, $parameters) !== false;
	}

	/**
	 * What a call may be handed to, of this domain: extensions, ring groups, queues, IVRs.
	 *
	 * @return array kind => [number => name]
	 */
	public function destinations(): array {
		$sources = [
			'extensions' => ['v_extensions', 'extension', "coalesce(nullif(effective_caller_id_name, ''), nullif(description, ''), '')", 'enabled'],
			'ring_groups' => ['v_ring_groups', 'ring_group_extension', 'ring_group_name', 'ring_group_enabled'],
			'queues' => ['v_call_center_queues', 'queue_extension', 'queue_name', ''],
			'ivrs' => ['v_ivr_menus', 'ivr_menu_extension', 'ivr_menu_name', 'ivr_menu_enabled'],
			// FusionPBX's prefix for leaving a message, app/dialplans/resources/switch/conf/dialplan/310_send_to_voicemail.xml
			'voicemails' => ['v_voicemails', "'*99' || voicemail_id", "coalesce(voicemail_description, '')", 'voicemail_enabled'],
		];
		$found = [];
		foreach ($sources as $kind => list($table, $number, $name, $enabled)) {
			if (!$this->database->table_exists($table)) {
				continue;
			}
			// cast: booleans are text up to FusionPBX 5.4
			$sql = 'select '.$number.' as number, '.$name.' as name from '.$table.' where domain_uuid = :domain_uuid and '.$number.' is not null'
				.($enabled === '' ? '' : ' and cast('.$enabled." as text) = 'true'").' order by 1 limit 2000';
			foreach ($this->database->select($sql, ['domain_uuid' => $this->domain_uuid], 'all') ?: [] as $row) {
				$found[$kind][(string) $row['number']] = (string) $row['name'];
			}
		}
		return $found;
	}

	/**
	 * What last month, by the clock of the domain, really cost in USD; null when there was no call.
	 */
	public function last_month(string $uuid, string $zone): ?array {
		$sql = "select count(*) as calls, sum(duration_seconds) as seconds, sum(estimated_cost) as cost from v_voice_conversations_realtime
			where domain_uuid = :domain_uuid and secretary_realtime_uuid = :uuid
			and started_at >= (date_trunc('month', now() at time zone :zone) - interval '1 month') at time zone :zone_again
			and started_at < date_trunc('month', now() at time zone :zone_third) at time zone :zone_fourth";
		$row = $this->database->select($sql, ['domain_uuid' => $this->domain_uuid, 'uuid' => $uuid, 'zone' => $zone, 'zone_again' => $zone, 'zone_third' => $zone, 'zone_fourth' => $zone], 'row');
		return is_array($row) && $row['calls'] > 0 ? $row : null;
	}
}
