<?php

/**
 * Providers: whom the domain's secretaries speak through. Keys go to the controller to be sealed.
 */
class voice_secretary_provider extends voice_secretary_rows {

	protected function table(): string { return 'v_voice_realtime_providers'; }
	protected function key(): string { return 'voice_realtime_provider_uuid'; }
	protected function path(): string { return '/providers'; }
	protected function permission(): string { return 'voice_secretary_provider'; }

	protected function copied(array $row, string $suffix): array {
		// The controller never tells a key or a header's value: they are given anew.
		unset($row['voice_realtime_provider_uuid'], $row['domain_uuid'], $row['key'], $row['header_names']);
		$row['provider_label'] = mb_substr(($row['provider_label'] ?? '').' '.$suffix, 0, 100);
		$row['enabled'] = false;
		return $row;
	}

	/**
	 * All of the domain, in the order calls try them; without keys. The zone is the one its months
	 * are counted in. month_cost is what went through the row itself.
	 */
	public function list(string $zone = 'UTC'): array {
		$sql = "select p.voice_realtime_provider_uuid, p.realtime_provider, p.provider_label, p.model, p.default_voice_id, p.base_url,
			p.priority, p.max_concurrent_calls, cast(p.enabled as text) as enabled, p.credential is not null as has_key,
			(select sum(u.cost_usd) from v_voice_usage_realtime u where u.domain_uuid = p.domain_uuid and u.voice_realtime_provider_uuid = p.voice_realtime_provider_uuid
				and u.occurred_at >= date_trunc('month', now() at time zone :zone) at time zone :zone_again) as month_cost
			from v_voice_realtime_providers p where p.domain_uuid = :domain_uuid order by p.priority, p.provider_label";
		return $this->database->select($sql, ['domain_uuid' => $this->domain_uuid, 'zone' => $zone, 'zone_again' => $zone], 'all') ?: [];
	}

	/**
	 * What this month's money went to besides: through providers that were removed, or named in no row.
	 */
	public function besides(string $zone): array {
		$sql = "select u.provider, u.purpose, cast(u.voice_realtime_provider_uuid is not null as text) as removed, sum(u.cost_usd) as cost
			from v_voice_usage_realtime u where u.domain_uuid = :domain_uuid and u.occurred_at >= date_trunc('month', now() at time zone :zone) at time zone :zone_again
			and not exists (select 1 from v_voice_realtime_providers p where p.domain_uuid = u.domain_uuid and p.voice_realtime_provider_uuid = u.voice_realtime_provider_uuid)
			group by 1, 2, 3 having sum(u.cost_usd) > 0 order by cost desc, 1, 2, 3 limit 20";
		return $this->database->select($sql, ['domain_uuid' => $this->domain_uuid, 'zone' => $zone, 'zone_again' => $zone], 'all') ?: [];
	}

	/**
	 * A row without its secrets.
	 */
	public function find($uuid): array {
		return $this->without_secrets(parent::find($uuid));
	}

	/**
	 * Try one before or after another: the priorities of the domain are written anew, ten apart.
	 */
	public function move(string $uuid, string $direction): array {
		$order = array_column($this->list(), 'voice_realtime_provider_uuid');
		$place = array_search($uuid, $order, true);
		$other = $place === false ? null : ($direction === 'up' ? $place - 1 : $place + 1);
		if ($place === false || !isset($order[$other]) || !permission_exists('voice_secretary_provider_edit')) {
			return [];
		}
		list($order[$place], $order[$other]) = [$order[$other], $order[$place]];
		$answers = [];
		foreach ($order as $number => $one) {
			$answers[] = $this->save($one, ['priority' => ($number + 1) * 10]);
		}
		return $answers;
	}

	/**
	 * How many secretaries name it.
	 */
	public function used_by(string $uuid): int {
		$sql = 'select count(*) from v_voice_secretaries_realtime where domain_uuid = :domain_uuid and voice_realtime_provider_uuid = :uuid';
		return (int) $this->database->select($sql, ['domain_uuid' => $this->domain_uuid, 'uuid' => $uuid], 'column');
	}
}
