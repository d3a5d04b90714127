<?php

/**
 * How a domain is doing: numbers from the database, and what the controller says of itself.
 */
class voice_secretary_overview {

	private $database;
	private $domain_uuid;

	public function __construct(array $setting_array = []) {
		$this->database = $setting_array['database'] ?? database::new();
		$this->domain_uuid = $setting_array['domain_uuid'] ?? $_SESSION['domain_uuid'] ?? '';
	}

	private function row(string $sql, array $more = []): array {
		$row = $this->database->select($sql, ['domain_uuid' => $this->domain_uuid] + $more, 'row');
		return is_array($row) ? $row : [];
	}

	private function all(string $sql, array $more = []): array {
		return $this->database->select($sql, ['domain_uuid' => $this->domain_uuid] + $more, 'all') ?: [];
	}

	/**
	 * Conversations going on: begun within a day and not ended.
	 */
	public function now(): int {
		return (int) ($this->row("select count(*) as calls from v_voice_conversations_realtime where domain_uuid = :domain_uuid and ended_at is null and started_at > now() - interval '1 day'")['calls'] ?? 0);
	}

	/**
	 * Today's calls by outcome, in the zone of the domain.
	 */
	public function today(string $zone): array {
		$sql = "select outcome, count(*) as calls from v_voice_conversations_realtime where domain_uuid = :domain_uuid and outcome is not null
			and started_at >= date_trunc('day', now() at time zone :zone) at time zone :zone_again group by outcome order by 2 desc";
		return array_column($this->all($sql, ['zone' => $zone, 'zone_again' => $zone]), 'calls', 'outcome');
	}

	/**
	 * Calls and cost of each of the last days.
	 */
	public function days(string $zone, int $days = 14): array {
		$sql = "select to_char(d, 'YYYY-MM-DD') as day, count(c.conversation_uuid) as calls, coalesce(sum(c.estimated_cost), 0) as cost,
			count(c.conversation_uuid) filter (where c.outcome in ('failed', 'fallback', 'refused')) as failed
			from generate_series(date_trunc('day', now() at time zone :zone) - make_interval(days => ".($days - 1)."), date_trunc('day', now() at time zone :zone_again), interval '1 day') d
			left join v_voice_conversations_realtime c on c.domain_uuid = :domain_uuid and c.started_at at time zone :zone_third >= d and c.started_at at time zone :zone_fourth < d + interval '1 day'
				and c.started_at > now() - make_interval(days => ".($days + 1).") group by d order by d";
		return $this->all($sql, ['zone' => $zone, 'zone_again' => $zone, 'zone_third' => $zone, 'zone_fourth' => $zone]);
	}

	/**
	 * Milliseconds from the end of what a caller said to the first sound of the answer, of seven days.
	 */
	public function latency(): array {
		return $this->row("select count(*) as answers, percentile_disc(0.5) within group (order by t.total_ms) as p50, percentile_disc(0.95) within group (order by t.total_ms) as p95
			from v_voice_turns_realtime t join v_voice_conversations_realtime c on c.conversation_uuid = t.conversation_uuid and c.domain_uuid = t.domain_uuid
			where t.domain_uuid = :domain_uuid and t.total_ms is not null and c.started_at > now() - interval '7 days'");
	}

	/**
	 * Errors of the last day, by code.
	 */
	public function errors(): array {
		return $this->all("select error_code, count(*) as calls, max(reason) as reason from v_voice_conversations_realtime where domain_uuid = :domain_uuid
			and error_code is not null and started_at > now() - interval '1 day' group by error_code order by 2 desc limit 10");
	}

	/**
	 * The domain's limits as stored.
	 */
	public function limits(): array {
		return $this->row('select * from v_voice_realtime_settings where domain_uuid = :domain_uuid');
	}

	/**
	 * Spent today and this month, in USD.
	 */
	public function spent(string $zone): array {
		return $this->row("select coalesce(sum(cost_usd) filter (where occurred_at >= date_trunc('day', now() at time zone :zone) at time zone :zone_again), 0) as day,
			coalesce(sum(cost_usd), 0) as month from v_voice_usage_realtime where domain_uuid = :domain_uuid
			and occurred_at >= date_trunc('month', now() at time zone :zone_third) at time zone :zone_fourth", ['zone' => $zone, 'zone_again' => $zone, 'zone_third' => $zone, 'zone_fourth' => $zone]);
	}

	/**
	 * What this month's money was spent on, the most first: conversations, summaries, vectors, previews.
	 */
	public function spent_on(string $zone): array {
		return $this->all("select purpose, sum(cost_usd) as cost from v_voice_usage_realtime where domain_uuid = :domain_uuid
			and occurred_at >= date_trunc('month', now() at time zone :zone) at time zone :zone_again
			group by purpose having sum(cost_usd) > 0 order by cost desc, purpose limit 10", ['zone' => $zone, 'zone_again' => $zone]);
	}

	/**
	 * Numbers that are to be answered.
	 */
	public function numbers(): array {
		return $this->all("select secretary_realtime_uuid, secretary_name, extension from v_voice_secretaries_realtime where domain_uuid = :domain_uuid and enabled and extension <> '' order by extension limit 20");
	}

	/**
	 * The zone the domain counts its days in.
	 */
	public static function zone(settings $settings, array $limits): string {
		foreach ([$limits['time_zone'] ?? '', $settings->get('domain', 'time_zone', ''), 'UTC'] as $zone) {
			if (is_string($zone) && in_array($zone, DateTimeZone::listIdentifiers(DateTimeZone::ALL_WITH_BC), true)) {
				return $zone;
			}
		}
		return 'UTC';
	}

	/**
	 * A meter of money, with the mark where it warns.
	 */
	public static function meter(float $spent, ?float $limit, int $warning, array $text): string {
		if ($limit === null || $limit <= 0) {
			return '<span>'.voice_secretary_words::usd($text, $spent, 2).' – '.escape($text['label-no_limit']).'</span>';
		}
		$percent = min(100, $spent / $limit * 100);
		$level = $spent >= $limit ? 'exhausted' : ($percent >= $warning ? 'warning' : 'open');
		$said = voice_secretary_words::usd($text, $spent, 2).' / '.voice_secretary_words::usd($text, $limit, 2).' ('.voice_secretary_words::figure($text, $percent, 0).' %) '.$text['label-budget_'.$level];
		return "<div class='vs_meter vs_".$level."' role='meter' aria-valuemin='0' aria-valuemax='100' aria-valuenow='".round($percent)."' aria-label='".escape($said)."'>"
			."<i style='width: ".number_format($percent, 1, '.', '')."%'></i><u style='left: ".$warning."%' title='".$warning." %'></u></div><span>".escape($said).'</span>';
	}
}
