<?php

/**
 * What is not as it should be with a domain, as the next call would meet it.
 */
class voice_secretary_doubts {

	const MOST_NUMBERS = 8;

	/**
	 * @return array of [about, said, bad]
	 */
	public static function of(voice_secretary_overview $overview, voice_secretary_api $api, voice_secretary_answer $health, array $text): array {
		$words = new voice_secretary_words($text);
		$found = [];
		if (!$health->ok()) {
			return [['about' => $text['label-controller'], 'said' => $words->problem($health, $api->url()), 'bad' => true]];
		}
		foreach (array_filter($health->data['reasons'] ?? [], 'is_string') as $reason) {
			$found[] = ['about' => $text['label-controller'], 'said' => $reason, 'bad' => false];
		}
		foreach (array_slice($overview->numbers(), 0, self::MOST_NUMBERS) as $row) {
			$about = $row['extension'].' '.$row['secretary_name'].':';
			$check = $api->domain('GET', '/extensions/'.rawurlencode($row['extension']).'/check');
			if (!$check->ok()) {
				$found[] = ['about' => $about, 'said' => $words->problem($check, $api->url()), 'bad' => true];
				if ($check->away()) {
					break;
				}
				continue;
			}
			$outcome = is_string($check->data['outcome'] ?? null) ? $check->data['outcome'] : '';
			if (!in_array($outcome, ['realtime', 'turn_based', 'closed'], true)) {
				$found[] = ['about' => $about, 'said' => $text['message-check_'.$outcome] ?? $outcome, 'bad' => true];
			}
			foreach (array_filter(array_merge($check->data['problems'] ?? [], $check->data['warnings'] ?? []), 'is_string') as $doubt) {
				$found[] = ['about' => $about, 'said' => $doubt, 'bad' => false];
			}
		}
		return $found;
	}
}
