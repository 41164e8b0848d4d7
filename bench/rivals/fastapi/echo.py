# FastAPI and Pydantic sending back what bench http posts.
from typing import List

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

app = FastAPI()


class Request(BaseModel):
    model: str
    tenant: str
    top_k: int
    inputs: List[float]


@app.get("/plaintext", response_class=PlainTextResponse)
async def plaintext():
    return "Hello, World!"


@app.post("/echo")
async def echo(request: Request) -> Request:
    return request
