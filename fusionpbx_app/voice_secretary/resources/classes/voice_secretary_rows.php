<?php

/**
 * Rows of one domain: found in the database, changed by the controller, and owned both times.
 *
 * Reading needs no controller. Whoever changes something must own the row (the database says so,
 * with domain_uuid in the statement) and asks the controller, whose path holds the domain again.
 */
abstract class voice_secretary_rows {

	const app_name = 'voice_secretary';
	const app_uuid = 'f768064f-9585-47ad-a39e-ed24c2c063fe';

	/** @var database */
	protected $database;

	/** @var string */
	protected $domain_uuid;

	/** @var voice_secretary_api */
	protected $api;

	public function __construct(array $setting_array = []) {
		$this->database = $setting_array['database'] ?? database::new();
		$this->domain_uuid = $setting_array['domain_uuid'] ?? $_SESSION['domain_uuid'] ?? '';
		$this->api = $setting_array['api'] ?? new voice_secretary_api($this->database, $this->domain_uuid);
	}

	/** @return string of the rows */
	abstract protected function table(): string;

	/** @return string name of the primary key */
	abstract protected function key(): string;

	/** @return string of the controller: '/secretaries' */
	abstract protected function path(): string;

	/** @return string begins the names of the permissions */
	abstract protected function permission(): string;

	/** @return array columns a copy takes over */
	abstract protected function copied(array $row, string $suffix): array;

	public function api(): voice_secretary_api {
		return $this->api;
	}

	/**
	 * Whether a row is this domain's.
	 */
	public function owns($uuid): bool {
		if (!is_string($uuid) || !is_uuid($uuid)) {
			return false;
		}
		$sql = 'select 1 from '.$this->table().' where '.$this->key().' = :uuid and domain_uuid = :domain_uuid';
		$parameters = ['uuid' => $uuid, 'domain_uuid' => $this->domain_uuid];
		return (bool) $this->database->select($sql, $parameters, 'column');
	}

	/**
	 * A row as it is stored, JSON decoded; empty when this domain has none.
	 */
	public function find($uuid): array {
		if (!$this->owns($uuid)) {
			return [];
		}
		$sql = 'select * from '.$this->table().' where '.$this->key().' = :uuid and domain_uuid = :domain_uuid';
		$parameters = ['uuid' => $uuid, 'domain_uuid' => $this->domain_uuid];
		$row = $this->database->select($sql, $parameters, 'row');
		return is_array($row) ? $this->decoded($row) : [];
	}

	/**
	 * The same without its secrets: what may be shown.
	 */
	protected function without_secrets(array $row): array {
		if ($row) {
			$row['has_key'] = !empty($row['credential']);
			$row['header_names'] = is_array($row['headers']) ? array_keys($row['headers']) : [];
			unset($row['credential'], $row['headers']);
		}
		return $row;
	}

	/**
	 * Columns of JSON as arrays. A text may look like JSON, and stays a text: a prompt is one.
	 */
	private function decoded(array $row): array {
		$json = array_keys((require dirname(__DIR__).'/tables.php')[$this->table()], 'jsonb', true);
		foreach (array_intersect_key($row, array_flip($json)) as $name => $value) {
			$row[$name] = is_string($value) ? json_decode($value, true) : $value;
		}
		return $row;
	}

	/**
	 * Store what is given of a row, or a new one. The answer's remarks say what is wrong.
	 */
	public function save(?string $uuid, array $values): voice_secretary_answer {
		if ($uuid === null) {
			return permission_exists($this->permission().'_add')
				? $this->api->domain('POST', $this->path(), $values)
				: new voice_secretary_answer(0, '', 'not_allowed');
		}
		if (!permission_exists($this->permission().'_edit')) {
			return new voice_secretary_answer(0, '', 'not_allowed');
		}
		if (!$this->owns($uuid)) {
			return new voice_secretary_answer(404, '');
		}
		return $this->api->domain('PATCH', $this->path().'/'.$uuid, $values);
	}

	/**
	 * What would be wrong with a row if it were stored now.
	 */
	public function judge(?string $uuid, array $values): voice_secretary_answer {
		if ($uuid !== null && !$this->owns($uuid)) {
			return new voice_secretary_answer(404, '');
		}
		return $this->api->domain('POST', $this->path().($uuid === null ? '' : '/'.$uuid).'/validate', $values);
	}

	/**
	 * Remove those checked.
	 *
	 * @return voice_secretary_answer[] one for each
	 */
	public function delete(array $records): array {
		return $this->each($records, 'delete', function (string $uuid) {
			return $this->api->domain('DELETE', $this->path().'/'.$uuid);
		});
	}

	/**
	 * Switch those checked on or off.
	 */
	public function toggle(array $records): array {
		return $this->each($records, 'edit', function (string $uuid) {
			$on = filter_var($this->find($uuid)['enabled'] ?? false, FILTER_VALIDATE_BOOLEAN);
			return $this->save($uuid, ['enabled' => !$on]);
		});
	}

	/**
	 * Copy those checked.
	 */
	public function copy(array $records, string $suffix): array {
		return $this->each($records, 'add', function (string $uuid) use ($suffix) {
			$stored = $this->api->domain('GET', $this->path().'/'.$uuid);
			if (!$stored->ok()) {
				return $stored;
			}
			//what is empty is left to its default: PHP cannot tell an empty object from an empty list
			$values = array_filter($stored->data, function ($value) { return $value !== null && $value !== []; });
			return $this->save(null, $this->copied($values, $suffix));
		});
	}

	private function each(array $records, string $may, callable $do): array {
		if (!permission_exists($this->permission().'_'.$may)) {
			return [new voice_secretary_answer(0, '', 'not_allowed')];
		}
		$answers = [];
		foreach (array_slice($records, 0, 500) as $record) {
			if (!is_array($record) || ($record['checked'] ?? '') !== 'true') {
				continue;
			}
			$uuid = $record['uuid'] ?? '';
			$answers[] = $this->owns($uuid) ? $do($uuid) : new voice_secretary_answer(404, '');
		}
		unset($_SESSION['destinations']['array']);
		return $answers;
	}
}
