"""FreeSWITCH's Lua for tests: our scripts run in a real interpreter, everything else is played.

`session`, `freeswitch` and FusionPBX's database layer do what the real ones do and no more: an
unbound parameter fails, every value is text, a null is empty. A global that a script makes is an
error: mod_lua's interpreters are their own, but FusionPBX's functions share them.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[1] / "lua"
VERSIONS = ("lua52", "lua53", "lua54")
"""Those FreeSWITCH is built with."""
_PARAMETER = re.compile(r"(?<![A-Za-z0-9:]):([A-Za-z][A-Za-z0-9_]*)")
"""resources/functions/database.lua of FusionPBX, param_pattern."""
_PLAYED = """
package.path = scripts .. "/?.lua"
freeswitch = {
  consoleLog = function(level, text) played.log(level, text) end,
  msleep = function(ms) played.sleep(ms) end,
}
session = {
  getVariable = function(self, name) return played.get(name) end,
  setVariable = function(self, name, value) played.set(name, value) end,
  execute = function(self, application, data) played.execute(application, data) end,
  ready = function(self) return true end,
}
io.popen = function(command)
  local said = played.command(command)
  if said == nil then return nil end
  return { read = function() return said end, close = function() end }
end
if played.has_fusionpbx then
  package.preload["resources.functions.database"] = function()
    local dbh = { released = false }
    function dbh:query(sql, parameters, each)
      local rows, problem = played.query(sql, parameters)
      if rows == nil then return nil, problem end
      for _, row in ipairs(rows) do if each(row) ~= 0 then break end end
      return true
    end
    function dbh:release() played.release() end
    return { new = function(name)
      assert(name == "system")
      if not played.connect() then error("could not connect") end
      return dbh
    end }
  end
end
setmetatable(_G, { __newindex = function(_, name) error("global " .. tostring(name)) end })
"""

Query = Callable[[str, Mapping[str, str]], Sequence[Mapping[str, Any]]]


@dataclass
class Lua:
    """One call of a script, or of a module's function."""

    version: str = "lua53"
    variables: dict[str, str] = field(default_factory=dict)
    query: Query = lambda sql, parameters: []
    has_fusionpbx: bool = True
    connects: bool = True
    answers: Mapping[str, str | None] = field(default_factory=dict)
    """Of shell commands, by a word in them; any other command is not there."""
    executed: list[tuple[str, str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    log: list[tuple[str, str]] = field(default_factory=list)
    slept_ms: list[int] = field(default_factory=list)
    open_connections: int = 0

    def run(self, script: str) -> None:
        """A script, as the dialplan runs it."""
        self._runtime().execute(f'dofile("{SCRIPTS / script}")')

    def call(self, module: str, function: str, *arguments: str) -> Any:
        """A function of one of our modules, given Lua expressions; tables come back as lists and
        dicts."""
        given = ", ".join(arguments)
        return _plain(self._runtime().execute(f'return require("{module}").{function}({given})'))

    def _runtime(self) -> Any:
        lua = importlib.import_module(f"lupa.{self.version}").LuaRuntime(
            unpack_returned_tuples=True, register_eval=False, register_builtins=False
        )
        played = {
            "log": lambda level, text: self.log.append((level, text)),
            "sleep": lambda ms: self.slept_ms.append(ms),
            "get": self.variables.get,
            "set": self._set,
            "execute": lambda application, data: self.executed.append((application, data)),
            "command": self._command,
            "connect": self._connect,
            "release": self._release,
            "has_fusionpbx": self.has_fusionpbx,
            "query": lambda sql, parameters: self._query(lua, sql, parameters),
        }
        lua.globals().played = lua.table_from(played)
        lua.globals().scripts = str(SCRIPTS)
        lua.execute(_PLAYED)
        return lua

    def _set(self, name: str, value: str) -> None:
        assert isinstance(value, str), name
        if value:
            self.variables[name] = value
        else:
            self.variables.pop(name, None)

    def _command(self, command: str) -> str | None:
        self.commands.append(command)
        return next((said for word, said in self.answers.items() if word in command), None)

    def _connect(self) -> bool:
        self.open_connections += self.connects
        return self.connects

    def _release(self) -> None:
        self.open_connections -= 1

    def _query(self, lua: Any, sql: str, parameters: Any) -> Any:
        given = dict(parameters or {})
        missing = set(_PARAMETER.findall(sql)) - set(given)
        if missing:
            return None, f"undefined parameter: {missing}"
        try:
            rows = self.query(sql, given)
        except RuntimeError as error:
            return None, str(error)
        texts = [{k: "" if v is None else str(v) for k, v in row.items()} for row in rows]
        return lua.table_from([lua.table_from(row) for row in texts])


def bound(sql: str, parameters: Mapping[str, str]) -> str:
    """The statement as FusionPBX sends it: each value quoted by `sql_escape`."""
    return _PARAMETER.sub(lambda found: _quoted(parameters[found[1]]), sql)


def _quoted(value: str) -> str:
    return "'" + value.strip().replace("'", "''") + "'"


def _plain(value: Any) -> Any:
    if not hasattr(value, "items"):
        return value
    pairs = {key: _plain(one) for key, one in value.items()}
    if pairs and all(isinstance(key, int) for key in pairs):
        return [pairs[key] for key in sorted(pairs)]
    return pairs
