<?php

/**
 * The extension that leads numbers to the controller, and the Lua it uses: FusionPBX imports the one
 * from resources/switch/conf/dialplan, and copies the other from nowhere, so that is done here.
 */
class voice_secretary_dialplan {

	const DIALPLAN = '6f3a1f0e-2b57-4c1c-9a0e-7d0c2b9f5e90';
	const NAME = 'voice_ai_realtime';

	private $database;
	private $domain_uuid;
	private $domain_name;

	public function __construct(array $setting_array = []) {
		$this->database = $setting_array['database'] ?? database::new();
		$this->domain_uuid = $setting_array['domain_uuid'] ?? $_SESSION['domain_uuid'] ?? '';
		$this->domain_name = $setting_array['domain_name'] ?? $_SESSION['domain_name'] ?? '';
	}

	/**
	 * Whether calls of the domain pass through it: enabled here, or for every domain.
	 */
	public function installed(): bool {
		$sql = "select 1 from v_dialplans where (domain_uuid = :domain_uuid or domain_uuid is null)
			and (app_uuid = :app_uuid or dialplan_name = :name) and cast(dialplan_enabled as text) = 'true' limit 1";
		return $this->database->table_exists('v_dialplans') && (bool) $this->database->select($sql, ['domain_uuid' => $this->domain_uuid, 'app_uuid' => self::DIALPLAN, 'name' => self::NAME], 'column');
	}

	/**
	 * Import what is missing, as FusionPBX's own upgrade does; one that was switched off is switched on.
	 */
	public function install(): bool {
		if (!permission_exists('voice_secretary_first_run')) {
			return false;
		}
		$sql = "update v_dialplans set dialplan_enabled = 'true' where domain_uuid = :domain_uuid and (app_uuid = :app_uuid or dialplan_name = :name)";
		$this->database->execute($sql, ['domain_uuid' => $this->domain_uuid, 'app_uuid' => self::DIALPLAN, 'name' => self::NAME]);
		if (!$this->installed() && class_exists('dialplan')) {
			$permissions = class_exists('permissions') ? permissions::new() : null;
			foreach (['dialplan_add', 'dialplan_edit', 'dialplan_detail_add', 'dialplan_detail_edit'] as $name) {
				if ($permissions !== null) {
					$permissions->add($name, 'temp');
				}
			}
			(new dialplan)->import([['domain_uuid' => $this->domain_uuid, 'domain_name' => $this->domain_name]]);
			foreach (['dialplan_add', 'dialplan_edit', 'dialplan_detail_add', 'dialplan_detail_edit'] as $name) {
				if ($permissions !== null) {
					$permissions->delete($name, 'temp');
				}
			}
		}
		if (class_exists('cache')) {
			(new cache)->delete('dialplan:'.$this->domain_name);
		}
		$_SESSION['reload_xml'] = true;
		unset($_SESSION['destinations']['array']);
		return $this->installed();
	}

	/**
	 * Copy the Lua files to where FreeSWITCH looks for them. Returns a sentence for each that could not be.
	 */
	public static function copy_scripts(string $to): array {
		$from = dirname(__DIR__).'/scripts';
		$failed = [];
		if ($to === '' || !is_dir($from) || !is_dir($to)) {
			return $failed;
		}
		$files = new RecursiveIteratorIterator(new RecursiveDirectoryIterator($from, FilesystemIterator::SKIP_DOTS | FilesystemIterator::FOLLOW_SYMLINKS));
		foreach ($files as $file) {
			$name = substr($file->getPathname(), strlen($from) + 1);
			$target = rtrim($to, '/').'/'.$name;
			if (substr($name, -4) !== '.lua' || (is_file($target) && md5_file($target) === md5_file($file->getPathname()))) {
				continue;
			}
			if (!is_dir(dirname($target)) && !@mkdir(dirname($target), 0755, true) || !@copy($file->getPathname(), $target)) {
				$failed[] = $name.' could not be copied to '.$to;
			}
		}
		return $failed;
	}

	/**
	 * Whether FreeSWITCH has an audio module: its name; '' for none; null when FreeSWITCH cannot be asked.
	 */
	public static function audio_module(): ?string {
		if (!class_exists('event_socket')) {
			return null;
		}
		$socket = event_socket::create();
		if (!$socket || !$socket->is_connected()) {
			return null;
		}
		foreach (['mod_audio_stream', 'mod_audio_fork'] as $name) {
			if (trim((string) event_socket::api('module_exists '.$name)) === 'true') {
				return $name;
			}
		}
		return '';
	}
}
