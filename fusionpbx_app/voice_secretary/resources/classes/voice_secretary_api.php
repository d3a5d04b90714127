<?php

/**
 * Asks the controller, with the operator's token, which never leaves the server.
 *
 * Any worker answers for every call, so there is one address. Every wait has an end: a controller
 * that is away costs a page two seconds and a sentence.
 */
class voice_secretary_api {

	const CONNECT_MS = 2000;
	const MOST_BYTES = 8388608;

	private $url;
	private $token;
	private $timeout_s;
	private $domain_uuid;
	private $language;

	/**
	 * The installation's own settings alone say where the token goes: a domain's could send it
	 * elsewhere. The operator's language is what the controller is to answer in.
	 *
	 * @param database $database
	 * @param string   $domain_uuid whose rows every path is put below: the session's, never a parameter
	 */
	public function __construct(database $database, string $domain_uuid) {
		$settings = new settings(['database' => $database]);
		$this->url = rtrim((string) $settings->get('voice_secretary', 'api_url', 'http://127.0.0.1:8085'), '/');
		$this->token = self::token($settings);
		$this->timeout_s = max(1, min(60, (int) $settings->get('voice_secretary', 'api_timeout', 8)));
		$this->domain_uuid = is_uuid($domain_uuid) ? $domain_uuid : '';
		$own = new settings(['database' => $database, 'domain_uuid' => $domain_uuid, 'user_uuid' => $_SESSION['user_uuid'] ?? '']);
		$language = (string) ($_SESSION['domain']['language']['code'] ?? $own->get('domain', 'language', 'en-us'));
		$this->language = preg_match('/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?$/', $language) ? $language : 'en-us';
	}

	/**
	 * Of the setting, else the first line of the file it names.
	 */
	private static function token(settings $settings): string {
		$token = trim((string) $settings->get('voice_secretary', 'api_token', ''));
		$file = (string) $settings->get('voice_secretary', 'api_token_file', '');
		if ($token === '' && $file !== '' && is_readable($file)) {
			$token = trim((string) strtok((string) file_get_contents($file, false, null, 0, 4096), "\r\n"));
		}
		return preg_match('/^[\x21-\x7e]{1,4096}$/', $token) ? $token : '';
	}

	/**
	 * The address, for sentences about it.
	 */
	public function url(): string {
		return $this->url;
	}

	/**
	 * Ask below the domain: '/secretaries', '/calls/…'.
	 */
	public function domain(string $method, string $path, ?array $body = null, ?int $timeout_s = null): voice_secretary_answer {
		if ($this->domain_uuid === '') {
			return new voice_secretary_answer(0, '', 'no_domain');
		}
		return $this->ask($method, '/api/v1/domains/'.$this->domain_uuid.$path, $body, $timeout_s);
	}

	/**
	 * Hand a file of the domain on to the browser, whole or the part it asks for, as it comes.
	 */
	public function relay(string $path, string $range): void {
		$request = curl_init($this->url.'/api/v1/domains/'.$this->domain_uuid.$path);
		$headers = ['Expect:', 'Authorization: Bearer '.$this->token];
		if (preg_match('/^bytes=[0-9,-]{1,60}$/', $range)) {
			$headers[] = 'Range: '.$range;
		}
		curl_setopt_array($request, [
			CURLOPT_CONNECTTIMEOUT_MS => self::CONNECT_MS,
			CURLOPT_LOW_SPEED_LIMIT => 1,
			CURLOPT_LOW_SPEED_TIME => 30,
			CURLOPT_NOSIGNAL => true,
			CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
			CURLOPT_PROXY => '',
			CURLOPT_HTTPHEADER => $headers,
			CURLOPT_HEADERFUNCTION => function ($_, string $line) {
				if (preg_match('/^(Content-(Type|Length|Range)|Accept-Ranges):/i', $line)) {
					header(trim($line));
				}
				elseif (preg_match('#^HTTP/\S+ (\d{3})#', $line, $found)) {
					http_response_code($found[1] === '200' || $found[1] === '206' ? (int) $found[1] : 404);
				}
				return strlen($line);
			},
			CURLOPT_WRITEFUNCTION => function ($_, string $part) {
				echo $part;
				flush();
				return strlen($part);
			},
		]);
		header('Cache-Control: private, no-store');
		if ($this->domain_uuid === '' || !curl_exec($request) && !headers_sent()) {
			http_response_code(404);
		}
		curl_close($request);
	}

	/**
	 * Ask for what belongs to no domain: '/columns', '/registry'.
	 */
	public function common(string $method, string $path, ?array $body = null): voice_secretary_answer {
		return $this->ask($method, '/api/v1'.$path, $body, null);
	}

	/**
	 * What the worker says of itself; needs no token.
	 */
	public function health(): voice_secretary_answer {
		return $this->ask('GET', '/health', null, 4);
	}

	private function ask(string $method, string $path, ?array $body, ?int $timeout_s): voice_secretary_answer {
		if (!preg_match('#^https?://[A-Za-z0-9.\-\[\]:]+$#', $this->url)) {
			return new voice_secretary_answer(0, '', 'bad_url');
		}
		$headers = ['Accept: application/json', 'Accept-Language: '.$this->language, 'Expect:'];
		if ($this->token !== '') {
			$headers[] = 'Authorization: Bearer '.$this->token;
		}
		$request = curl_init($this->url.$path);
		$received = '';
		$options = [
			CURLOPT_CUSTOMREQUEST => $method,
			CURLOPT_CONNECTTIMEOUT_MS => self::CONNECT_MS,
			CURLOPT_TIMEOUT => $timeout_s ?? $this->timeout_s,
			CURLOPT_NOSIGNAL => true,
			CURLOPT_FOLLOWLOCATION => false,
			CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
			CURLOPT_PROXY => '',
			CURLOPT_WRITEFUNCTION => function ($_, string $part) use (&$received) {
				$received .= $part;
				return strlen($received) > self::MOST_BYTES ? 0 : strlen($part);
			},
		];
		if ($body !== null) {
			$headers[] = 'Content-Type: application/json';
			$options[CURLOPT_POSTFIELDS] = json_encode((object) $body, JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PRESERVE_ZERO_FRACTION);
		}
		elseif ($method === 'POST') {
			$options[CURLOPT_POSTFIELDS] = '';
		}
		curl_setopt_array($request, $options + [CURLOPT_HTTPHEADER => $headers]);
		$done = curl_exec($request);
		$status = (int) curl_getinfo($request, CURLINFO_RESPONSE_CODE);
		$type = (string) curl_getinfo($request, CURLINFO_CONTENT_TYPE);
		$late = curl_errno($request) === CURLE_OPERATION_TIMEDOUT;
		curl_close($request);
		if ($done === false || $status === 0) {
			return new voice_secretary_answer(0, '', $late ? 'timeout' : 'unreachable');
		}
		return new voice_secretary_answer($status, $received, '', $type);
	}
}
