<?php

/**
 * Documents a domain's secretaries answer from: shown from the database, read and searched by the controller.
 */
class voice_secretary_document extends voice_secretary_rows {

	const FORMATS = ['text', 'markdown', 'html', 'pdf'];
	const ENDINGS = ['txt' => 'text', 'md' => 'markdown', 'markdown' => 'markdown', 'htm' => 'html', 'html' => 'html', 'pdf' => 'pdf'];

	/** What the controller takes of a page. */
	const MOST_BYTES = 3145728;

	/** A document is read in another process, which has a minute. */
	const READ_S = 65;

	const MOST_QUESTION = 500;

	protected function table(): string { return 'v_voice_realtime_documents'; }
	protected function key(): string { return 'document_uuid'; }
	protected function path(): string { return '/documents'; }
	protected function permission(): string { return 'voice_secretary_document'; }

	protected function copied(array $row, string $suffix): array {
		return $row;
	}

	/**
	 * All of the domain, by title, without their text; times in the zone of the domain.
	 */
	public function list(string $zone): array {
		$sql = "select document_uuid, title, source_format, language, size_bytes, passages, to_char(created_at at time zone :zone, 'YYYY-MM-DD HH24:MI') as created,
			case when embedded_as is null then '' else to_char(embedded_at at time zone :zone_again, 'YYYY-MM-DD HH24:MI') end as embedded
			from v_voice_realtime_documents where domain_uuid = :domain_uuid order by lower(title) limit 500";
		return $this->database->select($sql, ['domain_uuid' => $this->domain_uuid, 'zone' => $zone, 'zone_again' => $zone], 'all') ?: [];
	}

	/**
	 * How a document was cut.
	 */
	public function passages(string $uuid): array {
		if (!$this->owns($uuid)) {
			return [];
		}
		$sql = 'select content from v_voice_realtime_passages where domain_uuid = :domain_uuid and document_uuid = :uuid
			order by passage_number limit 4000';
		$rows = $this->database->select($sql, ['domain_uuid' => $this->domain_uuid, 'uuid' => $uuid], 'all') ?: [];
		return array_column($rows, 'content');
	}

	/**
	 * Store what was uploaded; one of the same title is replaced.
	 *
	 * @param array $post title, document_language and source_format; the last is else told by the file's name
	 * @param mixed $file as $_FILES has it
	 * @return array [answer, field => label of what is wrong with it]
	 */
	public function upload(array $post, $file): array {
		$nothing = new voice_secretary_answer(422, '');
		if (!permission_exists('voice_secretary_document_add')) {
			return [new voice_secretary_answer(0, '', 'not_allowed'), []];
		}
		$error = is_array($file) && is_int($file['error'] ?? null) ? $file['error'] : UPLOAD_ERR_NO_FILE;
		if ($error === UPLOAD_ERR_INI_SIZE || $error === UPLOAD_ERR_FORM_SIZE || ($error === UPLOAD_ERR_OK && $file['size'] > self::MOST_BYTES)) {
			return [$nothing, ['file' => 'message-document_too_big']];
		}
		if ($error !== UPLOAD_ERR_OK || $file['size'] < 1 || !is_uploaded_file($file['tmp_name'])) {
			return [$nothing, ['file' => 'message-document_no_file']];
		}
		$name = (string) $file['name'];
		$given = self::typed($post, 'source_format', 20);
		$format = in_array($given, self::FORMATS, true) ? $given : (self::ENDINGS[strtolower(pathinfo($name, PATHINFO_EXTENSION))] ?? '');
		if ($format === '') {
			return [$nothing, ['source_format' => 'message-document_format']];
		}
		$title = self::typed($post, 'title', 255);
		$body = [
			'title' => $title === '' ? mb_substr(pathinfo($name, PATHINFO_FILENAME), 0, 255) : $title,
			'source_format' => $format,
			'content' => base64_encode((string) file_get_contents($file['tmp_name'])),
		];
		$language = self::typed($post, 'document_language', 16);
		if ($language !== '') {
			$body['language'] = $language;
		}
		return [$this->api->domain('POST', $this->path(), $body, self::READ_S), []];
	}

	/**
	 * What a model would be given for a question.
	 */
	public function search(string $question): voice_secretary_answer {
		return $this->api->domain('GET', $this->path().'/search?question='.rawurlencode(mb_substr($question, 0, self::MOST_QUESTION)));
	}

	private static function typed(array $post, string $name, int $most): string {
		return is_string($post[$name] ?? null) ? mb_substr(trim($post[$name]), 0, $most) : '';
	}
}
