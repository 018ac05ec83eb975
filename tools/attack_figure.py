#!/usr/bin/env python3
"""Draws src/guide/attacks_on_filters.svg from src/guide/attacks_on_filters.csv: what each set of recipes leaks, and what it
links. Plain text in, plain text out; no library."""
import csv, html, math
from pathlib import Path

GUIDE = Path(__file__).resolve().parent.parent / "src/guide"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 400, 60, 20, 20, 50
LEAK = (0.2, 1.0)
F1 = (0.97, 1.0)


def across(leak):
    share = math.log(leak / LEAK[0]) / math.log(LEAK[1] / LEAK[0])
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def down(f1):
    return HEIGHT - BOTTOM - (f1 - F1[0]) / (F1[1] - F1[0]) * (HEIGHT - TOP - BOTTOM)


def text(x, y, words, anchor="start"):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{html.escape(words)}</text>'


def main():
    with open(GUIDE / "attacks_on_filters.csv", encoding="utf-8", newline="") as file:
        points = list(csv.DictReader(file))
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
             f'font-family="sans-serif" font-size="12" fill="currentColor">']
    for leak in (0.2, 0.3, 0.4, 0.5, 0.7, 1):
        x = across(leak)
        lines.append(f'<line x1="{x:.0f}" x2="{x:.0f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#8884"/>')
        lines.append(text(x, HEIGHT - BOTTOM + 16, f"{leak:g} %", "middle"))
    for step in range(3):
        f1 = F1[0] + 0.005 + 0.01 * step
        lines.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{down(f1):.0f}" y2="{down(f1):.0f}" stroke="#8884"/>')
        lines.append(text(LEFT - 6, down(f1) + 4, f"{f1:.3f}", "end"))
    lines.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "re-identified by who shares a tag with whom", "middle"))
    lines.append(text(LEFT, TOP - 6, "F1 of links"))
    for point in points:
        x, y = across(float(point["leak_percent"])), down(float(point["f1"]))
        colour = "#c33" if point["shipped"] == "yes" else "#47a"
        lines.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="{colour}"/>')
        end = x > WIDTH - 200
        lines.append(text(x - 7 if end else x + 7, y + 4, point["name"], "end" if end else "start"))
    (GUIDE / "attacks_on_filters.svg").write_text("\n".join([*lines, "</svg>\n"]), encoding="utf-8")


if __name__ == "__main__":
    main()
