<?php

/**
 * Takes out of FusionPBX what the app and its upgrades have put there.
 */
class voice_secretary_removal {

	private $database;

	public function __construct(database $database) {
		$this->database = $database;
	}

	/**
	 * @param bool   $with_data also the tables: secretaries, keys, conversations
	 * @param string $scripts   where FreeSWITCH's Lua files are
	 * @return string[] what was removed
	 */
	public function run(bool $with_data, string $scripts): array {
		$said = [];
		foreach ($this->statements() as $what => list($table, $condition, $parameters)) {
			if (!$this->database->table_exists($table)) {
				continue;
			}
			$count = (int) $this->database->select('select count(*) from '.$table.' where '.$condition, $parameters, 'column');
			if ($count > 0 && $this->database->execute('delete from '.$table.' where '.$condition, $parameters) !== false) {
				$said[] = $what.': '.$count;
			}
		}
		foreach ($this->scripts($scripts) as $file) {
			$said[] = @unlink($file) ? 'removed '.$file : 'could not remove '.$file;
			@rmdir(dirname($file)); // only when nothing is left in it
		}
		if ($with_data) {
			$undeclared = ['v_voice_realtime_embeddings']; // its list of numbers is no type that the upgrade compares
			foreach (array_merge($undeclared, array_keys(require dirname(__DIR__).'/tables.php')) as $table) {
				$this->database->execute('drop table if exists '.$table.' cascade');
				$said[] = 'dropped '.$table;
			}
		}
		return $said;
	}

	private function statements(): array {
		$x = 0;
		$apps = [];
		include dirname(__DIR__, 2).'/app_menu.php';
		$menus = "('".implode("', '", array_filter(array_column($apps[0]['menu'], 'uuid'), 'is_uuid'))."')";
		$items = '(select menu_item_uuid from v_menu_items where menu_item_uuid in '.$menus.' or uuid in '.$menus.')';
		$widget = "(select dashboard_widget_uuid from v_dashboard_widgets where widget_path = 'voice_secretary/voice_secretary')";
		$dialplan = ['app' => voice_secretary_dialplan::DIALPLAN];
		$ours = ['ours' => 'voice\_secretary%'];
		return [
			'menu groups' => ['v_menu_item_groups', 'menu_item_uuid in '.$items, []],
			'menu titles' => ['v_menu_languages', 'menu_item_uuid in '.$items, []],
			'menu items' => ['v_menu_items', 'menu_item_uuid in '.$items, []],
			'permissions of groups' => ['v_group_permissions', 'permission_name like :ours', $ours],
			'permissions' => ['v_permissions', 'permission_name like :ours', $ours],
			'default settings' => ['v_default_settings', "default_setting_category = 'voice_secretary'", []],
			'domain settings' => ['v_domain_settings', "domain_setting_category = 'voice_secretary'", []],
			'dialplan details' => ['v_dialplan_details', 'dialplan_uuid in (select dialplan_uuid from v_dialplans where app_uuid = :app)', $dialplan],
			'dialplans' => ['v_dialplans', 'app_uuid = :app', $dialplan],
			'widget groups' => ['v_dashboard_widget_groups', 'dashboard_widget_uuid in '.$widget, []],
			'widgets' => ['v_dashboard_widgets', "widget_path = 'voice_secretary/voice_secretary'", []],
		];
	}

	/**
	 * Our Lua files that lie where FreeSWITCH looks.
	 */
	private function scripts(string $to): array {
		$from = dirname(__DIR__).'/scripts';
		$found = [];
		if ($to !== '' && is_dir($from)) {
			$files = new RecursiveIteratorIterator(new RecursiveDirectoryIterator($from, FilesystemIterator::SKIP_DOTS | FilesystemIterator::FOLLOW_SYMLINKS));
			foreach ($files as $file) {
				$target = rtrim($to, '/').'/'.substr($file->getPathname(), strlen($from) + 1);
				if (is_file($target) && substr($target, -4) === '.lua') {
					$found[] = $target;
				}
			}
		}
		return $found;
	}
}
