<?php

	class database {
		private static $one;
		public $db;
		public $message;
		public $domain_uuid;

		public static function new(array $params = []): database {
			if (self::$one === null) {
				self::$one = new database;
				self::$one->db = new PDO(getenv('THIN_DSN'), getenv('THIN_USER'), getenv('THIN_PASSWORD'), [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
			}
			return self::$one;
		}

		private function run(string $sql, ?array $parameters) {
			try {
				$statement = $this->db->prepare($sql);
				$statement->execute($parameters ?? []);
				return $statement;
			}
			catch (PDOException $error) {
				// The real one swallows it and returns false: a test must hear of it.
				error_log('THIN-WARNING '.str_replace("\n", ' ', $error->getMessage()));
				return false;
			}
		}

		public function select(string $sql, ?array $parameters = [], string $return_type = 'all') {
			$statement = $this->run($sql, $parameters);
			if ($statement === false) {
				return false;
			}
			if ($return_type === 'all') {
				return $statement->fetchAll(PDO::FETCH_ASSOC);
			}
			return $return_type === 'row' ? $statement->fetch(PDO::FETCH_ASSOC) : $statement->fetchColumn();
		}

		public function execute($sql, $parameters = null, $return_type = 'all') {
			$statement = $this->run($sql, $parameters);
			return $statement === false ? false : $statement->fetchAll(PDO::FETCH_ASSOC);
		}

		public function table_exists(string $name): bool {
			return (bool) $this->select('select 1 from information_schema.tables where table_name = :name', ['name' => $name], 'column');
		}
	}

	class settings {
		private $values;

		public function __construct(array $given = []) {
			$this->values = json_decode(getenv('THIN_SETTINGS') ?: '{}', true);
			$language = !empty($given['domain_uuid']) ? ($_SESSION['language'] ?? null) : null;
			if ($language) {
				$this->values['domain']['language'] = $language;
			}
		}

		public function get(?string $category = null, ?string $name = null, $default = null) {
			return $this->values[$category][$name] ?? $default;
		}
	}

	class text {
		public function get(?string $language = null, ?string $app_path = null): array {
			$language = $language ?? $_SESSION['language'] ?? 'en-us';
			$text = [];
			include PROJECT_ROOT.'/resources/app_languages.php';
			include PROJECT_ROOT.'/app/voice_secretary/app_languages.php';
			return array_map(function ($words) use ($language) { return $words[$language] ?? $words['en-us'] ?? ''; }, $text);
		}
	}

	class token {
		public function create($key): array {
			foreach ($_SESSION['tokens'] ?? [] as $page => $tokens) {
				$_SESSION['tokens'][$page] = array_filter($tokens, function ($token) { return !$token['validated']; });
			}
			$token = ['name' => bin2hex(random_bytes(16)), 'hash' => bin2hex(random_bytes(16)), 'validated' => false];
			$_SESSION['tokens'][$key][] = $token;
			return $token;
		}

		public function validate($key, $value = ''): bool {
			foreach ($_SESSION['tokens'][$key] ?? [] as $n => $token) {
				$given = $_REQUEST[$token['name']] ?? '';
				if (is_string($given) && hash_equals($token['hash'], $given)) {
					$_SESSION['tokens'][$key][$n]['validated'] = true;
					return true;
				}
			}
			return false;
		}
	}

	class message {
		public static function add($said, $mood = null, $delay = null): void {
			$_SESSION['message'][] = [$said, $mood ?? 'positive'];
		}
	}

	class dialplan {
		public function import($domains): void {
			foreach ($domains as $domain) {
				foreach (glob(PROJECT_ROOT.'/app/*/resources/switch/conf/dialplan/*.xml') as $file) {
					$name = (string) simplexml_load_file($file)['name'];
					database::new()->execute("insert into v_dialplans (domain_uuid, dialplan_name, dialplan_enabled) values (:domain, :name, 'true')", ['domain' => $domain['domain_uuid'], 'name' => $name]);
				}
			}
		}
	}

	class button {
		public static function create($of): string {
			$attributes = '';
			foreach (['id', 'name', 'value', 'style', 'title', 'onclick'] as $name) {
				$attributes .= isset($of[$name]) ? ' '.$name.'="'.$of[$name].'"' : '';
			}
			$attributes .= empty($of['disabled']) ? '' : " disabled='disabled'";
			$html = "<button type='".($of['type'] ?? 'button')."' class='btn btn-".($of['class'] ?? 'default')."'".$attributes.'>'.($of['label'] ?? '').'</button>';
			return isset($of['link']) ? "<a href='".escape($of['link'])."'".(isset($of['id']) ? " id='link_".$of['id']."'" : '').' tabindex=\'-1\'>'.$html.'</a>' : $html;
		}
	}

	class modal {
		public static function create($of): string {
			return "<div id='".$of['id']."' class='thin_modal' hidden>".$of['actions'].'</div>';
		}
	}
