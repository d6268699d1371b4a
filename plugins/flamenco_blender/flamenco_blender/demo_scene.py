"""Build the sample scene of the farm, with the Blender that renders it.

Run it inside Blender: ``blender -b --python demo_scene.py -- OUT.blend``. It works with
Blender 3.4 and later, and needs nothing but Blender.

An orrery at dusk: glass, metal and clay planets circle a glowing core on a tiled floor,
while the camera drifts around them. About a second a frame on two cores.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import bpy  # type: ignore[import-not-found, unused-ignore]

FRAMES = 24
FPS = 24
WIDTH, HEIGHT = 480, 270
SAMPLES = 14

Color = tuple[float, float, float]

AMBER: Color = (1.0, 0.42, 0.1)
TEAL: Color = (0.02, 0.42, 0.45)
ROSE: Color = (0.85, 0.12, 0.22)
IVORY: Color = (0.85, 0.78, 0.65)
NIGHT: Color = (0.03, 0.035, 0.05)


def main() -> None:
    """Build the scene and save it where the command line says."""
    path = sys.argv[sys.argv.index("--") + 1]
    # Everything from nothing: the start-up file of another user may hold anything.
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    set_up_render(scene)
    make_sky(scene)
    make_floor(scene)
    make_core(scene)
    for planet in PLANETS:
        make_planet(scene, *planet)
    make_ring_of_pillars(scene)
    make_lights(scene)
    make_camera(scene)
    bpy.ops.wm.save_as_mainfile(filepath=path, compress=True)


# ------------------------------------------------------------------------- rendering


def set_up_render(scene: Any) -> None:
    """Cycles on the CPU, few samples, no denoiser: some builds have none."""
    scene.name = "Orrery"
    scene.frame_start, scene.frame_end = 1, FRAMES
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y = WIDTH, HEIGHT
    render.resolution_percentage = 100
    render.fps = FPS
    render.use_persistent_data = True
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGB"
    render.filepath = "//render/######"
    set_up_cycles(scene.cycles)
    set_up_colors(scene.view_settings)


def set_up_cycles(cycles: Any) -> None:
    """Trade the light that nobody misses for less noise."""
    cycles.device = "CPU"
    cycles.samples = SAMPLES
    cycles.use_adaptive_sampling = False
    cycles.use_denoising = False
    cycles.max_bounces = 4
    cycles.diffuse_bounces = 1
    cycles.use_fast_gi = False
    # Few lights: choosing among them wisely costs more than it saves. (Since 3.5.)
    if hasattr(cycles, "use_light_tree"):
        cycles.use_light_tree = False
    cycles.caustics_reflective = False
    cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 1.5
    cycles.blur_glossy = 1.0


def set_up_colors(view: Any) -> None:
    """Filmic is in every version; AgX only in the newer ones."""
    for transform in ("AgX", "Filmic", "Standard"):
        try:
            view.view_transform = transform
        except TypeError:
            continue
        break
    for look in ("AgX - Medium High Contrast", "Medium High Contrast"):
        try:
            view.look = look
        except TypeError:
            continue
        break


# ------------------------------------------------------------------------- materials


def material(name: str, color: Color, **inputs: float) -> Any:
    """Make a material with the standard shader; *inputs* are its sockets."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    shader = made.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*color, 1.0)
    for socket, value in inputs.items():
        set_input(shader, socket.replace("_", " "), value)
    return made


def set_input(shader: Any, name: str, value: Any) -> None:
    """Set an input by any of the names that it had over the years."""
    for known in (name, {"Transmission Weight": "Transmission"}.get(name, name)):
        if known in shader.inputs:
            shader.inputs[known].default_value = value
            return


def glow(name: str, middle: Color, rim: Color, strength: float) -> Any:
    """Make a material that shines, in another color toward its rim."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    nodes.clear()
    facing = nodes.new("ShaderNodeLayerWeight")
    facing.inputs["Blend"].default_value = 0.35
    ramp = color_ramp(nodes, (0.0, middle), (0.8, rim))
    emission = nodes.new("ShaderNodeEmission")
    emission.inputs["Strength"].default_value = strength
    output = nodes.new("ShaderNodeOutputMaterial")
    links.new(facing.outputs["Facing"], ramp.inputs[0])
    links.new(ramp.outputs["Color"], emission.inputs["Color"])
    links.new(emission.outputs["Emission"], output.inputs["Surface"])
    # A lamp inside does its work on other things, with less noise.
    cycles = made.cycles
    if hasattr(cycles, "emission_sampling"):
        cycles.emission_sampling = "NONE"
    else:
        cycles.sample_as_light = False
    return made


def color_ramp(nodes: Any, *stops: tuple[float, Color]) -> Any:
    """Make a node that turns numbers into colors."""
    ramp = nodes.new("ShaderNodeValToRGB")
    elements = ramp.color_ramp.elements
    for index, (position, color) in enumerate(stops):
        element = elements[index] if index < len(elements) else elements.new(position)
        element.position, element.color = position, (*color, 1.0)
    return ramp


def tiles(name: str) -> Any:
    """Make a floor of dark, half polished tiles, from the two cheapest shaders."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    nodes.clear()
    checker = nodes.new("ShaderNodeTexChecker")
    checker.inputs["Color1"].default_value = (*NIGHT, 1.0)
    checker.inputs["Color2"].default_value = (0.16, 0.15, 0.17, 1.0)
    checker.inputs["Scale"].default_value = 36.0
    diffuse, glossy = nodes.new("ShaderNodeBsdfDiffuse"), nodes.new("ShaderNodeBsdfGlossy")
    glossy.inputs["Roughness"].default_value = 0.2
    mixed, output = nodes.new("ShaderNodeMixShader"), nodes.new("ShaderNodeOutputMaterial")
    mixed.inputs[0].default_value = 0.07
    links.new(checker.outputs["Color"], diffuse.inputs["Color"])
    links.new(diffuse.outputs["BSDF"], mixed.inputs[1])
    links.new(glossy.outputs["BSDF"], mixed.inputs[2])
    links.new(mixed.outputs["Shader"], output.inputs["Surface"])
    return made


# --------------------------------------------------------------------------- objects


def finish(scene: Any, name: str, made: Any, shader: Any, *, smooth: bool = True) -> Any:
    """Name a new mesh, and give it a material."""
    made.name = name
    made.data.materials.append(shader)
    for polygon in made.data.polygons:
        polygon.use_smooth = smooth
    return made


def ball(scene: Any, name: str, radius: float, shader: Any) -> Any:
    """Add a smooth ball at the middle."""
    bpy.ops.mesh.primitive_uv_sphere_add(segments=48, ring_count=24, radius=radius)
    return finish(scene, name, bpy.context.object, shader)


def torus(scene: Any, name: str, radius: float, thickness: float, shader: Any) -> Any:
    """Add a ring that lies flat."""
    bpy.ops.mesh.primitive_torus_add(
        major_radius=radius, minor_radius=thickness, major_segments=96, minor_segments=12
    )
    return finish(scene, name, bpy.context.object, shader)


def make_floor(scene: Any) -> None:
    """Lay the floor."""
    bpy.ops.mesh.primitive_plane_add(size=40.0)
    finish(scene, "Floor", bpy.context.object, tiles("Tiles"), smooth=False)


def make_core(scene: Any) -> None:
    """Hang the glowing core inside two turning hoops."""
    core = ball(scene, "Core", 0.55, glow("Ember", (1.0, 0.62, 0.22), (0.9, 0.1, 0.02), 1.9))
    core.location.z = 1.6
    core.visible_diffuse = core.visible_shadow = False
    lamp = bpy.data.objects.new("Ember light", bpy.data.lights.new("Ember light", "POINT"))
    lamp.data.color, lamp.data.energy, lamp.data.shadow_soft_size = AMBER, 260.0, 0.5
    lamp.location.z = 1.6
    scene.collection.objects.link(lamp)
    brass = material("Brass", (0.8, 0.5, 0.2), Metallic=1.0, Roughness=0.22)
    for index, tilt in enumerate((0.5, -0.7)):
        hoop = torus(scene, f"Hoop {index + 1}", 0.95 + 0.22 * index, 0.035, brass)
        hoop.location.z = 1.6
        hoop.rotation_euler.x = tilt
        spin(hoop, turns=0.5 if index else -0.5)


# Name, distance, radius, height, where it starts (in turns), turns, color, sockets.
PLANETS: tuple[tuple[str, float, float, float, float, float, Color, dict[str, float]], ...] = (
    ("Clay", 1.9, 0.3, 1.15, 0.1, 0.30, ROSE, {"Roughness": 0.55}),
    ("Steel", 2.6, 0.42, 1.75, 0.48, 0.22, IVORY, {"Metallic": 1.0, "Roughness": 0.12}),
    ("Lagoon", 3.3, 0.52, 1.0, 0.72, 0.16, TEAL, {"Roughness": 0.2}),
    (
        "Glass",
        2.3,
        0.36,
        0.7,
        0.85,
        0.26,
        (0.9, 0.97, 1.0),
        {"Roughness": 0.02, "Transmission_Weight": 1.0, "IOR": 1.4},
    ),
)


def make_planet(
    scene: Any,
    name: str,
    distance: float,
    radius: float,
    height: float,
    start: float,
    turns: float,
    color: Color,
    sockets: dict[str, float],
) -> None:
    """Put a planet on its way around the core, and draw that way."""
    pivot = bpy.data.objects.new(f"{name} orbit", None)
    scene.collection.objects.link(pivot)
    pivot.location.z = height
    spin(pivot, turns=turns, start=start)
    planet = ball(scene, name, radius, material(name, color, **sockets))
    planet.parent = pivot
    planet.location.x = distance
    thread = material(f"{name} thread", IVORY, Metallic=1.0, Roughness=0.35)
    torus(scene, f"{name} path", distance, 0.008, thread).location.z = height


def make_ring_of_pillars(scene: Any, count: int = 15) -> None:
    """Close the view with pillars that breathe up and down."""
    stone = material("Stone", (0.24, 0.2, 0.26), Roughness=0.6)
    for index in range(count):
        # Not where the camera stands.
        angle = math.radians(-30 + 240 * index / (count - 1))
        where = (7.2 * math.cos(angle), 7.2 * math.sin(angle), 0.0)
        bpy.ops.mesh.primitive_cylinder_add(vertices=6, radius=0.5, depth=7.0, location=where)
        pillar = finish(scene, f"Pillar {index + 1}", bpy.context.object, stone, smooth=False)
        breathe(pillar, phase=index * 0.37)


# --------------------------------------------------------------------- light, camera


def make_sky(scene: Any) -> None:
    """Paint the dusk: its colors fill the shadows."""
    world = bpy.data.worlds.new("Dusk")
    scene.world = world
    world.use_nodes = True
    # So soft a light is met often enough by chance.
    world.cycles.sampling_method = "NONE"
    nodes, links = world.node_tree.nodes, world.node_tree.links
    direction = nodes.new("ShaderNodeTexCoord")
    parts = nodes.new("ShaderNodeSeparateXYZ")
    horizon, haze, zenith = (0.75, 0.22, 0.09), (0.24, 0.12, 0.26), (0.012, 0.025, 0.1)
    ramp = color_ramp(nodes, (0.0, horizon), (0.1, haze), (0.28, zenith))
    background = nodes["Background"]
    background.inputs["Strength"].default_value = 0.7
    links.new(direction.outputs["Generated"], parts.inputs["Vector"])
    links.new(parts.outputs["Z"], ramp.inputs[0])
    links.new(ramp.outputs["Color"], background.inputs["Color"])


def make_lights(scene: Any) -> None:
    """Two large soft lights of different color."""
    area_light(scene, "Key", (1.0, 0.75, 0.5), 330.0, 2.5, (4.5, -4.5, 6.0))
    area_light(scene, "Rim", (0.3, 0.5, 1.0), 480.0, 3.0, (-5.0, 3.5, 5.0))


def area_light(
    scene: Any, name: str, color: Color, power: float, size: float, where: Color
) -> None:
    """Hang a square light that looks at the core."""
    light = bpy.data.lights.new(name, "AREA")
    light.color, light.energy, light.size = color, power, size
    hung = bpy.data.objects.new(name, light)
    hung.location = where
    scene.collection.objects.link(hung)
    look_at(hung, aim(scene))


def make_camera(scene: Any) -> None:
    """Let the camera drift around the core, and dip a little."""
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.lens = 34.0
    camera.location = (0.0, -8.2, 3.1)
    pivot = bpy.data.objects.new("Camera pivot", None)
    for made in (camera, pivot):
        scene.collection.objects.link(made)
    camera.parent = pivot
    spin(pivot, turns=0.07, start=-0.03)
    look_at(camera, aim(scene))
    camera.keyframe_insert("location", index=2, frame=1)
    camera.location.z = 2.4
    camera.keyframe_insert("location", index=2, frame=FRAMES)
    scene.camera = camera


def aim(scene: Any) -> Any:
    """Return the point that lights and camera look at; it is made on first use."""
    known = bpy.data.objects.get("Aim")
    if known is None:
        known = bpy.data.objects.new("Aim", None)
        known.location.z = 1.25
        scene.collection.objects.link(known)
    return known


def look_at(looking: Any, target: Any) -> None:
    """Keep an object turned to another one."""
    track = looking.constraints.new("TRACK_TO")
    track.target = target
    track.track_axis, track.up_axis = "TRACK_NEGATIVE_Z", "UP_Y"


# ---------------------------------------------------------------------------- motion


def spin(turning: Any, *, turns: float, start: float = 0.0) -> None:
    """Turn an object around its upright axis, evenly over all frames."""
    for frame, value in ((1, start), (FRAMES + 1, start + turns)):
        turning.rotation_euler.z = 2 * math.pi * value
        turning.keyframe_insert("rotation_euler", index=2, frame=frame)
    linear(turning)


def breathe(moving: Any, *, phase: float) -> None:
    """Move an object up and down once."""
    for step in range(5):
        height = math.sin(2 * math.pi * (phase + step / 4))
        moving.location.z = -1.6 + 0.8 * height
        moving.keyframe_insert("location", index=2, frame=1 + FRAMES * step / 4)


def linear(animated: Any) -> None:
    """Take the ease-in and ease-out from an object's motion."""
    for curve in curves_of(animated.animation_data.action):
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"


def curves_of(action: Any) -> list[Any]:
    """Return an action's curves, from where the versions keep them."""
    if hasattr(action, "fcurves"):
        return list(action.fcurves)
    # Since 5.0 they are in bags, one for each thing that is animated.
    strips = [strip for layer in action.layers for strip in layer.strips]
    return [curve for strip in strips for bag in strip.channelbags for curve in bag.fcurves]


if __name__ == "__main__":
    main()
