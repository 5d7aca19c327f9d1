"""`student-hub nodes`: the six reference nodes alone."""

import asyncio
from collections.abc import Callable

from student_hub.entry.programs import reference_node
from student_hub.entry.stack.folder import open_folder
from student_hub.entry.stack.ports import require_free
from student_hub.entry.stack.supervisor import Supervisor
from student_hub.nodes.registry import NodeName
from student_hub.platform.settings import Settings

NODE_FOLDER = "nodes"


async def run_nodes(settings: Settings, first_port: int, say: Callable[[str], None]) -> None:
    """Runs the six nodes on consecutive ports until it is told to stop; StackError."""
    folder = await asyncio.to_thread(open_folder, settings.data_dir)
    ports = {node: first_port + node.number - 1 for node in NodeName}
    for port in ports.values():
        require_free({"--nodes-port": port})
    log_folder = folder / NODE_FOLDER
    log_folder.mkdir(mode=0o700, exist_ok=True)
    async with Supervisor(folder, on_event=lambda event: say(str(event))) as supervisor:
        programs = [reference_node(node, port, log_folder) for node, port in ports.items()]
        if await supervisor.start(*programs):
            say(f"six nodes on ports {first_port} to {first_port + len(ports) - 1}; Ctrl-C stops")
            await supervisor.run_until_stopped()
